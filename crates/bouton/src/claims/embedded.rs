//! The folders of `recipes/` that hold a paper, compiled in.

/// One folder of `recipes/`.
pub(super) struct Folder {
    /// Its name.
    pub slug: &'static str,
    /// Its `claims.toml`.
    pub claims: &'static str,
    /// Its `results.jsonl`.
    pub results: &'static str,
    /// Its recipes: file name and text.
    pub recipes: &'static [(&'static str, &'static str)],
}

macro_rules! text {
    ($slug:literal, $file:expr) => {
        include_str!(concat!("../../../../recipes/", $slug, "/", $file))
    };
}

macro_rules! folder {
    ($slug:literal: $($recipe:literal)*) => {
        Folder {
            slug: $slug,
            claims: text!($slug, "claims.toml"),
            results: text!($slug, "results.jsonl"),
            recipes: &[$((concat!($recipe, ".toml"), text!($slug, concat!($recipe, ".toml")))),*],
        }
    };
}

/// Every paper: equilibrium propagation by year, then continual learning, then devices and our own crossings.
#[rustfmt::skip]
pub(super) const FOLDERS: &[Folder] = &[
    folder!("scellier2017": "one-hidden" "two-hidden" "three-hidden"),
    folder!("ernoult2019": "eb-1h" "eb-2h" "p-1h" "p-2h" "p-2h-fast" "p-3h" "p-3h-fast"
        "p-conv" "p-conv-fast" "p-conv-short"),
    folder!("ernoult2020": "ep-1h" "ep-2h" "c-ep-1h" "c-ep-2h"),
    folder!("laborieux2021":
        "sym-mse" "sym-ce" "one-sided-mse" "random-sign-mse" "kp-ce" "vf-ce" "bptt-mse" "bptt-ce"
        "small-symmetric" "small-one-sided" "small-random-sign" "small-kolen-pollack" "small-vector-field"
        "small-bptt"),
    folder!("laborieux2022":
        "mnist-n1-b01" "mnist-n1-b01-fast" "mnist-n1-b01-cosine" "mnist-n1-b04" "mnist-n1-b04-fast" "mnist-n2-b04" "mnist-n2-b04-fast"
        "mnist-n10-b04" "mnist-n10-b04-noise" "mnist-n1-b01-noise" "mnist-n1-b04-noise" "mnist-continuous-b04"
        "mnist-n10-b04-fast" "mnist-n1-b01-short" "mnist-n1-b01-noise-short" "mnist-n2-b04-short"
        "mnist-n2-b04-noise-short" "mnist-n10-b04-short" "mnist-n10-b04-noise-short" "cifar10-n2" "cifar100-n2" "imagenet32-n2" "vgg6-n2" "vgg6-n4"),
    folder!("scellier2023":
        "dhn-1h" "dhn-1h-fast" "dhn-2h" "dhn-2h-fast" "dhn-3h" "dhn-3h-fast"
        "mnist-pep" "mnist-nep" "mnist-cep" "mnist-pcpl" "mnist-ncpl" "mnist-ccpl" "mnist-cl" "mnist-tbp" "mnist-rbp"
        "fashion-1h" "fashion-1h-fast" "fashion-1h-backprop"
        "conv-mnist-pep" "conv-mnist-nep" "conv-mnist-cep" "conv-mnist-pcpl" "conv-mnist-ncpl" "conv-mnist-ccpl"
        "conv-mnist-cl" "conv-mnist-tbp" "conv-mnist-rbp" "conv-fashion-pep" "conv-fashion-nep"
        "conv-fashion-cep" "conv-fashion-pcpl" "conv-fashion-ncpl" "conv-fashion-ccpl" "conv-fashion-cl"
        "conv-fashion-tbp" "conv-fashion-rbp" "conv-svhn-pep" "conv-svhn-nep" "conv-svhn-cep" "conv-svhn-pcpl"
        "conv-svhn-ncpl" "conv-svhn-ccpl" "conv-svhn-cl" "conv-svhn-tbp" "conv-svhn-rbp" "conv-cifar10-pep"
        "conv-cifar10-nep" "conv-cifar10-cep" "conv-cifar10-pcpl" "conv-cifar10-ncpl" "conv-cifar10-ccpl"
        "conv-cifar10-cl" "conv-cifar10-tbp" "conv-cifar10-rbp" "conv-cifar100-pep" "conv-cifar100-nep"
        "conv-cifar100-cep" "conv-cifar100-pcpl" "conv-cifar100-ncpl" "conv-cifar100-ccpl" "conv-cifar100-cl"
        "conv-cifar100-tbp" "conv-cifar100-rbp"),
    folder!("laborieux2024":
        "fashion-0" "fashion-15" "fashion-30" "fashion-45" "fashion-60" "fashion-75" "fashion-90"
        "fashion-0-rbp" "fashion-90-rbp" "fashion-90-homeostasis" "fashion-90-adamw" "cifar10-homeostasis"
        "cifar10-plain" "cifar100-homeostasis" "imagenet32-homeostasis"
        "short-0" "short-0-homeostasis" "short-0-rbp" "short-30" "short-30-homeostasis" "short-60"
        "short-60-homeostasis" "short-90" "short-90-homeostasis" "short-90-rbp"),
    folder!("hopfield-resnet13":
        "cifar10" "cifar100" "fashion"),
    folder!("zenke2017":
        "permuted-c0" "permuted-c01" "permuted-c0-short" "permuted-c01-short"),
    folder!("kirkpatrick2017":
        "permuted-ewc"),
    folder!("vandeven2019":
        "permuted-ewc" "permuted-joint" "permuted-none" "permuted-si" "split-class-ewc" "split-class-none"
        "split-class-replay" "split-class-si" "split-domain-ewc" "split-domain-none" "split-domain-replay"
        "split-domain-si" "split-task-ewc" "split-task-none" "split-task-replay" "split-task-si"
        "split-task-online-ewc" "split-task-joint" "split-domain-online-ewc" "split-domain-joint"
        "split-class-online-ewc" "split-class-joint" "permuted-online-ewc"),
    folder!("laborieux2021-metaplasticity":
        "mnist-fashion-1024-m0" "mnist-fashion-1024-m15" "mnist-fashion-4096-m0" "mnist-fashion-4096-m15"
        "six-1024-ewc" "six-1024-ewc-shuffled" "six-1024-interleaved" "six-1024-m0" "six-1024-m05" "six-1024-m1"
        "six-1024-m135" "six-1024-real-m0" "six-1024-real-m135" "six-4096-ewc" "six-4096-ewc-shuffled"
        "six-4096-interleaved" "six-4096-m0" "six-4096-m05" "six-4096-m1" "six-4096-m135" "six-4096-real-m0"
        "six-4096-real-m135" "six-short-ewc" "six-short-ewc-shuffled" "six-short-interleaved" "six-short-m0"
        "six-short-m05" "six-short-m1" "six-short-m135" "six-short-real-m0" "six-short-real-m135" "stream-cifar10-m0" "stream-cifar10-m13" "stream-cifar10-whole" "stream-fashion-m0"
        "stream-fashion-m25" "stream-fashion-whole" "two-512-m0" "two-512-m135"
        "two-512-real-m0" "two-512-real-m135" "two-512-real-unnormed-m0" "two-512-real-unnormed-m135"
        "mnist-fashion-256-m0" "mnist-fashion-256-m15" "mnist-fashion-512-m0" "mnist-fashion-512-m15"
        "ten-512-m135" "ten-512-ewc" "ten-512-interleaved-m0" "ten-512-interleaved-m135" "ten-1024-m135"
        "ten-1024-ewc" "ten-1024-interleaved-m0" "ten-1024-interleaved-m135" "ten-2048-m135" "ten-2048-ewc"
        "ten-2048-interleaved-m0" "ten-2048-interleaved-m135"
        "importance-1024"),
    folder!("majumdar2021":
        "lr100-all" "lr100-all-set" "lr100-d2d" "lr100-ideal" "lr100-noise" "lr8-all" "lr8-all-set" "lr8-d2d"
        "lr8-ideal" "lr8-noise" "cifar10" "short-lr100-all" "short-lr100-all-set" "short-lr100-d2d"
        "short-lr100-ideal" "short-lr100-noise" "short-lr8-all" "short-lr8-all-set" "short-lr8-d2d"
        "short-lr8-ideal" "short-lr8-noise"
        "short-lr8-rtn" "short-lr8-pink" "short-lr8-d2d-offset" "lr8-rtn" "lr8-pink" "lr8-d2d-offset"
        "short-lr100-rtn" "short-lr100-pink" "short-lr100-d2d-offset" "lr100-rtn" "lr100-pink" "lr100-d2d-offset"),
    folder!("brevitas":
        "sfc-1w1a" "tfc-1w1a"),
    folder!("fusi2005":
        "permuted-n1" "permuted-n5" "permuted-n10"),
    folder!("benna2016":
        "split-task-chain" "split-task-plain"),
    folder!("bimu":
        "online-1" "online-1-bayesbinn" "online-1-mesu" "online-10" "online-10-mesu" "online-100" "online-100-mesu"
        "online-100-sign" "online-1000"),
    folder!("bellec2018":
        "mnist-rows" "store-recall"),
    folder!("bellec2020":
        "pattern" "evidence"),
    folder!("whittington2017": "mnist"),
    folder!("credit-atlas": "hierarchy"),
    folder!("crossings":
        "ep-binary" "ep-metaplastic" "ep-rram" "rram-two-m0" "rram-two-m4" "mnist-bop" "mnist-soft-bounds"
        "two-binary-beakers" "permuted-bayesbinn" "rotated-none" "rotated-mas"),
];
