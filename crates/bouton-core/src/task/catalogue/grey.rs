//! Sets of grey images.

use super::super::{Split, digits, embedded};
use super::{Format, KnownFile, KnownSet, Part, Pin};

const TRAIN_IMAGES: Part = Part::Images(Split::Train);
const TRAIN_LABELS: Part = Part::Labels(Split::Train);
const TEST_IMAGES: Part = Part::Images(Split::Test);
const TEST_LABELS: Part = Part::Labels(Split::Test);

const fn file(name: &'static str, part: Part, bytes: u64, download: u64, sha256: &'static str) -> KnownFile {
    KnownFile { name, part, bytes, pin: Pin::Sha256(sha256), download, embedded: None }
}

const fn within(name: &'static str, part: Part, content: &'static [u8], sha256: &'static str) -> KnownFile {
    KnownFile {
        name,
        part,
        bytes: content.len() as u64,
        pin: Pin::Sha256(sha256),
        download: 0,
        embedded: Some(content),
    }
}

pub(super) const FASHION_MINI: KnownSet = KnownSet {
    name: "fashion-mini",
    about: "3,000 + 1,000 images of Fashion-MNIST, embedded in the program.",
    title: "3,000 + 1,000 photographs of clothing, a balanced part of Fashion-MNIST",
    shape: [1, 28, 28],
    classes: 10,
    names: &[
        "T-shirt/top",
        "Trouser",
        "Pullover",
        "Dress",
        "Coat",
        "Sandal",
        "Shirt",
        "Sneaker",
        "Bag",
        "Ankle boot",
    ],
    train: 3000,
    test: 1000,
    licence: "MIT, (c) 2017 Zalando SE",
    bibtex: XIAO2017,
    format: Format::Idx,
    mirrors: &[],
    files: &[
        within(
            "fashion-mini-train-images-idx3-ubyte.gz",
            TRAIN_IMAGES,
            embedded::TRAIN_IMAGES,
            "138192032530f25cb5af8a13c48c15ac3bf3476bc854374050890f927dd4e921",
        ),
        within(
            "fashion-mini-train-labels-idx1-ubyte.gz",
            TRAIN_LABELS,
            embedded::TRAIN_LABELS,
            "4fd1de64636db628232dcf4c12c1e67f8797c48c8522067b789f5df6145dd436",
        ),
        within(
            "fashion-mini-t10k-images-idx3-ubyte.gz",
            TEST_IMAGES,
            embedded::TEST_IMAGES,
            "80b41d4bdde0657af04358196c266d20822eb1107a9e35c35aa6c38fb000c639",
        ),
        within(
            "fashion-mini-t10k-labels-idx1-ubyte.gz",
            TEST_LABELS,
            embedded::TEST_LABELS,
            "4f81dd80fbbee90c38545ee999e120b1c191bf127f0aa516f21ef7e023d316a9",
        ),
    ],
    archives: &[],
};

pub(super) const DIGITS: KnownSet = KnownSet {
    name: "digits",
    about: "UCI optical digits, 8×8, 1,500 + 297, embedded in the program.",
    title: "1,500 + 297 handwritten digits of 8x8 pixels (UCI)",
    shape: [1, 8, 8],
    classes: 10,
    names: &[],
    train: digits::TRAIN,
    test: 297,
    licence: "CC BY 4.0",
    bibtex: ALPAYDIN1998,
    format: Format::Digits,
    mirrors: &[],
    files: &[within(
        "digits.csv.gz",
        Part::All,
        embedded::DIGITS,
        "09f66e6debdee2cd2b5ae59e0d6abbb73fc2b0e0185d2e1957e9ebb51e23aa22",
    )],
    archives: &[],
};

pub(super) const MNIST: KnownSet = KnownSet {
    name: "mnist",
    about: "MNIST, 28×28, 60,000 + 10,000.",
    title: "60,000 + 10,000 handwritten digits of 28x28 pixels",
    shape: [1, 28, 28],
    classes: 10,
    names: &[],
    train: 60_000,
    test: 10_000,
    licence: "CC BY-SA 3.0, Y. LeCun and C. Cortes",
    bibtex: LECUN1998,
    format: Format::Idx,
    mirrors: &[
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
        "https://storage.googleapis.com/cvdf-datasets/mnist/",
    ],
    files: &[
        file(
            "train-images-idx3-ubyte",
            TRAIN_IMAGES,
            47_040_016,
            9_912_422,
            "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
        ),
        file(
            "train-labels-idx1-ubyte",
            TRAIN_LABELS,
            60_008,
            28_881,
            "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
        ),
        file(
            "t10k-images-idx3-ubyte",
            TEST_IMAGES,
            7_840_016,
            1_648_877,
            "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
        ),
        file(
            "t10k-labels-idx1-ubyte",
            TEST_LABELS,
            10_008,
            4_542,
            "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
        ),
    ],
    archives: &[],
};

pub(super) const FASHION_MNIST: KnownSet = KnownSet {
    name: "fashion-mnist",
    about: "Fashion-MNIST, 28×28, 60,000 + 10,000.",
    title: "60,000 + 10,000 photographs of clothing of 28x28 pixels",
    shape: [1, 28, 28],
    classes: 10,
    names: &[
        "T-shirt/top",
        "Trouser",
        "Pullover",
        "Dress",
        "Coat",
        "Sandal",
        "Shirt",
        "Sneaker",
        "Bag",
        "Ankle boot",
    ],
    train: 60_000,
    test: 10_000,
    licence: "MIT, (c) 2017 Zalando SE",
    bibtex: XIAO2017,
    format: Format::Idx,
    mirrors: &["http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/"],
    files: &[
        file(
            "train-images-idx3-ubyte",
            TRAIN_IMAGES,
            47_040_016,
            26_421_880,
            "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
        ),
        file(
            "train-labels-idx1-ubyte",
            TRAIN_LABELS,
            60_008,
            29_515,
            "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
        ),
        file(
            "t10k-images-idx3-ubyte",
            TEST_IMAGES,
            7_840_016,
            4_422_102,
            "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
        ),
        file(
            "t10k-labels-idx1-ubyte",
            TEST_LABELS,
            10_008,
            5_148,
            "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
        ),
    ],
    archives: &[],
};

pub(super) const KMNIST: KnownSet = KnownSet {
    name: "kmnist",
    about: "Kuzushiji-MNIST, 28×28, 60,000 + 10,000.",
    title: "60,000 + 10,000 cursive Japanese characters of 28x28 pixels",
    shape: [1, 28, 28],
    classes: 10,
    names: &[],
    train: 60_000,
    test: 10_000,
    licence: "CC BY-SA 4.0, KMNIST (CODH), adapted from the Kuzushiji dataset (NIJL and others)",
    bibtex: CLANUWAT2018,
    format: Format::Idx,
    mirrors: &["http://codh.rois.ac.jp/kmnist/dataset/kmnist/"],
    files: &[
        file(
            "train-images-idx3-ubyte.gz",
            TRAIN_IMAGES,
            18_165_135,
            18_165_135,
            "51467d22d8cc72929e2a028a0428f2086b092bb31cfb79c69cc0a90ce135fde4",
        ),
        file(
            "train-labels-idx1-ubyte.gz",
            TRAIN_LABELS,
            29_497,
            29_497,
            "e38f9ebcd0f3ebcdec7fc8eabdcdaef93bb0df8ea12bee65224341c8183d8e17",
        ),
        file(
            "t10k-images-idx3-ubyte.gz",
            TEST_IMAGES,
            3_041_136,
            3_041_136,
            "edd7a857845ad6bb1d0ba43fe7e794d164fe2dce499a1694695a792adfac43c5",
        ),
        file(
            "t10k-labels-idx1-ubyte.gz",
            TEST_LABELS,
            5_120,
            5_120,
            "20bb9a0ef54c7db3efc55a92eef5582c109615df22683c380526788f98e42a1c",
        ),
    ],
    archives: &[],
};

const LECUN1998: &str = "@article{lecun1998,
  author = {LeCun, Yann and Bottou, L\\'eon and Bengio, Yoshua and Haffner, Patrick},
  title = {Gradient-based learning applied to document recognition},
  journal = {Proceedings of the IEEE}, volume = {86}, number = {11}, pages = {2278--2324}, year = {1998},
  doi = {10.1109/5.726791}
}";
const XIAO2017: &str = "@misc{xiao2017,
  author = {Xiao, Han and Rasul, Kashif and Vollgraf, Roland},
  title = {Fashion-{MNIST}: a Novel Image Dataset for Benchmarking Machine Learning Algorithms},
  year = {2017}, eprint = {1708.07747}, archiveprefix = {arXiv}
}";
const CLANUWAT2018: &str = "@misc{clanuwat2018,
  author = {Clanuwat, Tarin and Bober-Irizar, Mikel and Kitamoto, Asanobu and Lamb, Alex and Yamamoto, Kazuaki
            and Ha, David},
  title = {Deep Learning for Classical {J}apanese Literature},
  year = {2018}, eprint = {1812.01718}, archiveprefix = {arXiv}
}";
const ALPAYDIN1998: &str = "@misc{alpaydin1998,
  author = {Alpaydin, Ethem and Kaynak, Cenk},
  title = {Optical Recognition of Handwritten Digits},
  howpublished = {UCI Machine Learning Repository}, year = {1998}, doi = {10.24432/C50P49}
}";
