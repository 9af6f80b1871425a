//! Sets of colour images.

use super::super::Split::{self, Test, Train};
use super::super::layout::Layout;
use super::{Format, KnownArchive, KnownFile, KnownSet, Part, Pin};

const fn file(name: &'static str, part: Part, bytes: u64, pin: Pin) -> KnownFile {
    KnownFile { name, part, bytes, pin, download: 0, embedded: None }
}

/// A file without a published checksum; `bytes` = 0 without a published size.
const fn by_layout(name: &'static str, split: Split, bytes: u64) -> KnownFile {
    file(name, Part::Samples(split), bytes, Pin::Layout)
}

pub(super) const CIFAR_10: KnownSet = KnownSet {
    name: "cifar-10",
    about: "CIFAR-10, 3×32×32, 50,000 + 10,000.",
    title: "50,000 + 10,000 colour photographs of 32x32 pixels, 10 classes",
    shape: [3, 32, 32],
    classes: 10,
    names: &["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"],
    train: 50_000,
    test: 10_000,
    licence: "no explicit licence; cite Krizhevsky 2009",
    bibtex: KRIZHEVSKY2009,
    format: Format::Samples(Layout::Cifar10),
    mirrors: &[],
    files: &[
        by_layout("data_batch_1.bin", Train, 30_730_000),
        by_layout("data_batch_2.bin", Train, 30_730_000),
        by_layout("data_batch_3.bin", Train, 30_730_000),
        by_layout("data_batch_4.bin", Train, 30_730_000),
        by_layout("data_batch_5.bin", Train, 30_730_000),
        by_layout("test_batch.bin", Test, 30_730_000),
    ],
    archives: &[KnownArchive {
        name: "cifar-10-binary.tar.gz",
        bytes: 170_052_171,
        sha256: "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
        urls: &["https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz"],
        jpegs: None,
    }],
};

/// The files are the decoded images; their checksum holds for the decoder of `Cargo.lock`.
pub(super) const CIFAR_10_JPEG_Q75: KnownSet = KnownSet {
    name: "cifar10-jpegq75",
    about: "CIFAR-10 after JPEG compression of quality 75: never comparable with published CIFAR-10 results.",
    title: "CIFAR-10 after JPEG compression (quality 75): not comparable with published CIFAR-10 results",
    shape: [3, 32, 32],
    classes: 10,
    names: &["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"],
    train: 50_000,
    test: 10_000,
    licence: "CIFAR-10 has no explicit licence; cite Krizhevsky 2009",
    bibtex: KRIZHEVSKY2009,
    format: Format::Samples(Layout::Cifar10),
    mirrors: &[],
    files: &[
        file(
            "train.bin",
            Part::Samples(Train),
            153_650_000,
            Pin::Sha256("d5b90df5e040b3260bab1ee3ced172ca74542eea33d78ff592a1b3d725b1c5ea"),
        ),
        file(
            "test.bin",
            Part::Samples(Test),
            30_730_000,
            Pin::Sha256("e1bffa0edcfbbfa0db9ad4f2bfbc55db59466dc218b9fb18fc3c9163407201b0"),
        ),
    ],
    archives: &[
        KnownArchive {
            name: "cifar10-jpegq75-train.tar.xz",
            bytes: 15_534_092,
            sha256: "f7ac0703a71c1aa4c90870798d844d874a09bba6175d8e131c10197d7ae8116e",
            urls: &[],
            jpegs: Some("train.bin"),
        },
        KnownArchive {
            name: "cifar10-jpegq75-test.tar.xz",
            bytes: 3_108_388,
            sha256: "364c73f9922c1811e2f1b18f9cb3f9f3b74bf213ed7676e61597914d65460593",
            urls: &[],
            jpegs: Some("test.bin"),
        },
    ],
};

pub(super) const CIFAR_100: KnownSet = KnownSet {
    name: "cifar-100",
    about: "CIFAR-100 (fine labels), 3×32×32, 50,000 + 10,000.",
    title: "50,000 + 10,000 colour photographs of 32x32 pixels, 100 classes",
    shape: [3, 32, 32],
    classes: 100,
    names: &[],
    train: 50_000,
    test: 10_000,
    licence: "no explicit licence; cite Krizhevsky 2009",
    bibtex: KRIZHEVSKY2009,
    format: Format::Samples(Layout::Cifar100),
    mirrors: &[],
    files: &[by_layout("train.bin", Train, 153_700_000), by_layout("test.bin", Test, 30_740_000)],
    archives: &[KnownArchive {
        name: "cifar-100-binary.tar.gz",
        bytes: 168_513_733,
        sha256: "58a81ae192c23a4be8b1804d68e518ed807d710a4eb253b1f2a199162a40d8ec",
        urls: &["https://www.cs.toronto.edu/~kriz/cifar-100-binary.tar.gz"],
        jpegs: None,
    }],
};

pub(super) const SVHN: KnownSet = KnownSet {
    name: "svhn",
    about: "House number digits, cropped, 3×32×32, 73,257 + 26,032.",
    title: "73,257 + 26,032 house number digits in colour, cropped to 32x32 pixels",
    shape: [3, 32, 32],
    classes: 10,
    names: &[],
    train: 73_257,
    test: 26_032,
    licence: "for non-commercial use only; cite Netzer et al. 2011",
    bibtex: NETZER2011,
    format: Format::Samples(Layout::Svhn),
    mirrors: &["http://ufldl.stanford.edu/housenumbers/"],
    files: &[
        KnownFile {
            download: 182_040_794,
            ..file(
                "train_32x32.mat",
                Part::Samples(Train),
                182_040_794,
                Pin::Sha256("435e94d69a87fde4fd4d7f3dd208dfc32cb6ae8af2240d066de1df7508d083b8"),
            )
        },
        KnownFile {
            download: 64_275_384,
            ..file(
                "test_32x32.mat",
                Part::Samples(Test),
                64_275_384,
                Pin::Sha256("cdce80dfb2a2c4c6160906d0bd7c68ec5a99d7ca4831afa54f09182025b6a75b"),
            )
        },
    ],
    archives: &[],
};

pub(super) const STL_10: KnownSet = KnownSet {
    name: "stl-10",
    about: "STL-10, 3×96×96, 5,000 + 8,000.",
    title: "5,000 + 8,000 colour photographs of 96x96 pixels, 10 classes (without the unlabelled images)",
    shape: [3, 96, 96],
    classes: 10,
    names: &["airplane", "bird", "car", "cat", "deer", "dog", "horse", "monkey", "ship", "truck"],
    train: 5_000,
    test: 8_000,
    licence: "no explicit licence, images from ImageNet; cite Coates et al. 2011",
    bibtex: COATES2011,
    format: Format::Samples(Layout::Stl10),
    mirrors: &[],
    files: &[
        file("train_X.bin", Part::Images(Train), 138_240_000, Pin::Md5("918c2871b30a85fa023e0c44e0bee87f")),
        file("train_y.bin", Part::Labels(Train), 5_000, Pin::Md5("5a34089d4802c674881badbb80307741")),
        file("test_X.bin", Part::Images(Test), 221_184_000, Pin::Md5("7f263ba9f9e0b06b93213547f721ac82")),
        file("test_y.bin", Part::Labels(Test), 8_000, Pin::Md5("36f9794fa4beb8a2c72628de14fa638e")),
    ],
    archives: &[KnownArchive {
        name: "stl10_binary.tar.gz",
        bytes: 2_640_397_119,
        sha256: "f31fd99273a1acb8609c8db427cebb1de3f71de77758cdc0e22956e1289b9866",
        urls: &["http://ai.stanford.edu/~acoates/stl10/stl10_binary.tar.gz"],
        jpegs: None,
    }],
};

pub(super) const IMAGENET_32: KnownSet = KnownSet {
    name: "imagenet32",
    about: "ImageNet at 3×32×32, 1,000 classes, 1,281,167 + 50,000.",
    title: "1,281,167 + 50,000 photographs of ImageNet at 32x32 pixels, 1,000 classes",
    shape: [3, 32, 32],
    classes: 1000,
    names: &[],
    train: 1_281_167,
    test: 50_000,
    licence: "for non-commercial research and education, after registration at image-net.org",
    bibtex: CHRABASZCZ2017,
    format: Format::Samples(Layout::ImageNet32),
    mirrors: &[],
    files: &[
        by_layout("train_data_batch_1.npz", Train, 0),
        by_layout("train_data_batch_2.npz", Train, 0),
        by_layout("train_data_batch_3.npz", Train, 0),
        by_layout("train_data_batch_4.npz", Train, 0),
        by_layout("train_data_batch_5.npz", Train, 0),
        by_layout("train_data_batch_6.npz", Train, 0),
        by_layout("train_data_batch_7.npz", Train, 0),
        by_layout("train_data_batch_8.npz", Train, 0),
        by_layout("train_data_batch_9.npz", Train, 0),
        by_layout("train_data_batch_10.npz", Train, 0),
        by_layout("val_data.npz", Test, 0),
    ],
    archives: &[
        KnownArchive {
            name: "Imagenet32_train_npz.zip",
            bytes: 3_580_435_279,
            sha256: "94226337ecc1b0309d9fcd0167127aaadc931587035fbcb53925235edbaec4fc",
            urls: &[],
            jpegs: None,
        },
        KnownArchive {
            name: "Imagenet32_val_npz.zip",
            bytes: 139_697_668,
            sha256: "013990e6dec1237dcd1f9beadbab81ead6604cc119af5cacbfb59ae28148377a",
            urls: &[],
            jpegs: None,
        },
    ],
};

const KRIZHEVSKY2009: &str = "@techreport{krizhevsky2009,
  author = {Krizhevsky, Alex},
  title = {Learning Multiple Layers of Features from Tiny Images},
  institution = {University of Toronto}, year = {2009}
}";
const NETZER2011: &str = "@inproceedings{netzer2011,
  author = {Netzer, Yuval and Wang, Tao and Coates, Adam and Bissacco, Alessandro and Wu, Bo and Ng, Andrew Y.},
  title = {Reading Digits in Natural Images with Unsupervised Feature Learning},
  booktitle = {NIPS Workshop on Deep Learning and Unsupervised Feature Learning}, year = {2011}
}";
const COATES2011: &str = "@inproceedings{coates2011,
  author = {Coates, Adam and Ng, Andrew Y. and Lee, Honglak},
  title = {An Analysis of Single-Layer Networks in Unsupervised Feature Learning},
  booktitle = {Proceedings of the Fourteenth International Conference on Artificial Intelligence and Statistics},
  series = {PMLR}, volume = {15}, pages = {215--223}, year = {2011}
}";
const CHRABASZCZ2017: &str = "@misc{chrabaszcz2017,
  author = {Chrabaszcz, Patryk and Loshchilov, Ilya and Hutter, Frank},
  title = {A Downsampled Variant of {I}mage{N}et as an Alternative to the {CIFAR} datasets},
  year = {2017}, eprint = {1707.08819}, archiveprefix = {arXiv}
}";
