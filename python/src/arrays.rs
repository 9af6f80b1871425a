//! NumPy arrays, and others by DLPack, in (by copy, checked); NumPy arrays out (without one).

use crate::errors::argument;
use bouton::network::Shape;
use bouton_kernels::{DType, Mat, dispatch};
use numpy::ndarray::ArrayView2;
use numpy::{
    PyArray2, PyArrayDyn, PyArrayMethods, PyReadonlyArrayDyn, PyUntypedArray, PyUntypedArrayMethods,
};
use pyo3::prelude::*;

const FLOATS: &str = "pass a NumPy array of float32 or float64";

/// A matrix that NumPy arrays look into.
#[pyclass(frozen)]
struct Memory(Mat);

/// `mat` as a NumPy array that shares its memory.
pub fn array_of(py: Python<'_>, mat: Mat) -> PyResult<Bound<'_, PyAny>> {
    let (rows, cols, dtype) = (mat.rows(), mat.cols(), mat.dtype());
    let owner = Bound::new(py, Memory(mat))?;
    dispatch!(dtype, T => {
        let view = ArrayView2::from_shape((rows, cols), owner.get().0.slice::<T>()).expect("row-major and whole");
        // SAFETY: the memory belongs to `owner`, which is frozen and which the array keeps alive; nothing else sees it.
        let array = unsafe { PyArray2::borrow_from_array(&view, owner.clone().into_any()) };
        Ok(array.into_any())
    })
}

/// A copy of the floating-point array `value` as one row per sample of a population of this shape, and whether it was an
/// array of images; `name` is what errors call it.
pub fn samples(value: &Bound<'_, PyAny>, dtype: DType, place: Shape, name: &str) -> PyResult<(Mat, bool)> {
    let py = value.py();
    let Shape { height, width, channels } = place;
    let cols = place.units();
    let value = exchanged(value)?;
    let (shape, values) = numbers(&value, name, FLOATS)?;
    if shape.first() == Some(&0) {
        return Err(argument(py, "ShapeError", &format!("{name} has no rows"), "pass at least one sample"));
    }
    if shape.len() == 4 && shape[1..] == [channels, height, width] {
        let (_, values) = numbers(&value.call_method1("transpose", (0, 2, 3, 1))?, name, FLOATS)?;
        return Ok((copy(py, dtype, shape[0], cols, values, name)?, true));
    }
    if shape.len() != 2 || shape[1] != cols {
        let images = format!(", or images of shape (samples, {channels}, {height}, {width})");
        let images = if height * width > 1 { images.as_str() } else { "" };
        let hint = format!("pass one row per sample: an array of shape (samples, {cols}){images}");
        return Err(argument(py, "ShapeError", &format!("{name} has shape {shape:?}"), &hint));
    }
    Ok((copy(py, dtype, shape[0], cols, values, name)?, false))
}

/// Rows of a population of this shape as a NumPy array of images that shares their memory.
pub fn images(py: Python<'_>, mat: Mat, place: Shape) -> PyResult<Bound<'_, PyAny>> {
    let shape = (mat.rows(), place.height, place.width, place.channels);
    array_of(py, mat)?.call_method1("reshape", shape)?.call_method1("transpose", (0, 3, 1, 2))
}

/// A copy of `value`, which must have exactly this shape.
pub fn exactly(value: &Bound<'_, PyAny>, dtype: DType, shape: (usize, usize), name: &str) -> PyResult<Mat> {
    let py = value.py();
    let (found, values) = numbers(value, name, FLOATS)?;
    let (rows, cols) = shape;
    let flat = rows == 1 && found == [cols];
    if found != [rows, cols] && !flat {
        let message = format!("{name} has shape {found:?}, the network has ({rows}, {cols})");
        return Err(argument(
            py,
            "ShapeError",
            &message,
            "weights are stored as (post, pre), biases as (1, units)",
        ));
    }
    copy(py, dtype, rows, cols, values, name)
}

/// The shape of a floating-point array.
pub fn floats(value: &Bound<'_, PyAny>, name: &str) -> PyResult<Vec<usize>> {
    Ok(numbers(value, name, FLOATS)?.0)
}

/// Floating-point numbers in rows, one after the other.
enum Numbers<'py> {
    F32(PyReadonlyArrayDyn<'py, f32>),
    F64(PyReadonlyArrayDyn<'py, f64>),
}

/// The shape and the elements of a floating-point array; `hint` is for whoever passes another one.
fn numbers<'py>(value: &Bound<'py, PyAny>, name: &str, hint: &str) -> PyResult<(Vec<usize>, Numbers<'py>)> {
    let wrong = |what: &str| argument(value.py(), "DataError", &format!("{name} is {what}"), hint);
    let value = &exchanged(value)?;
    if let Ok(array) = value.cast::<PyArrayDyn<f32>>() {
        return Ok((array.shape().to_vec(), Numbers::F32(in_order(array, name)?)));
    }
    if let Ok(array) = value.cast::<PyArrayDyn<f64>>() {
        return Ok((array.shape().to_vec(), Numbers::F64(in_order(array, name)?)));
    }
    match value.cast::<PyUntypedArray>() {
        Ok(array) => Err(wrong(&format!("an array of {}", array.dtype()))),
        Err(_) => Err(wrong(&format!("a {}", value.get_type().name()?))),
    }
}

/// The elements of `array` in rows, one after the other: a copy if they lie otherwise.
fn in_order<'py, T: numpy::Element>(
    array: &Bound<'py, PyArrayDyn<T>>,
    name: &str,
) -> PyResult<PyReadonlyArrayDyn<'py, T>> {
    let py = array.py();
    // Masked arrays are arrays of all values, the masked ones too.
    if array.hasattr("mask")? && array.getattr("mask")?.call_method0("any")?.is_truthy()? {
        let hint = "fill in the masked values first: x.filled(0)";
        return Err(argument(py, "DataError", &format!("{name} has masked values"), hint));
    }
    // Fields of records lie in strides that are no multiples of their size.
    if array.is_c_contiguous() && array.data().is_aligned() {
        return Ok(array.readonly());
    }
    let kind = array.dtype();
    let copy = py.import("numpy")?.call_method1("require", (array, kind, ["C", "A"]))?;
    Ok(copy.call_method1("reshape", (array.getattr("shape")?,))?.cast_into::<PyArrayDyn<T>>()?.readonly())
}

/// An array of another library as a NumPy array, if it offers itself by DLPack.
fn exchanged<'py>(value: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    if value.cast::<PyUntypedArray>().is_ok() || !value.hasattr("__dlpack__")? {
        return Ok(value.clone());
    }
    let py = value.py();
    py.import("numpy")?.call_method1("from_dlpack", (value,)).map_err(|e| {
        let message = format!("the {} cannot be read: {}", value.get_type(), e.value(py));
        argument(
            py,
            "DataError",
            &message,
            "pass an array in main memory that needs no gradient: x.detach().cpu()",
        )
    })
}

fn copy(
    py: Python<'_>,
    dtype: DType,
    rows: usize,
    cols: usize,
    values: Numbers<'_>,
    name: &str,
) -> PyResult<Mat> {
    let mut mat = Mat::zeros(dtype, rows, cols);
    let mut finite = true;
    macro_rules! fill {
        ($array:expr) => {
            dispatch!(dtype, T => {
                let from = $array.as_slice().expect("rows, one after the other");
                mat.slice_mut::<T>().iter_mut().zip(from).for_each(|(to, &x)| {
                    *to = x as T;
                    finite &= to.is_finite();
                });
            })
        };
    }
    match values {
        Numbers::F32(array) => fill!(array),
        Numbers::F64(array) => fill!(array),
    }
    if finite {
        Ok(mat)
    } else {
        let message = format!("{name} holds NaN or numbers that are infinite in the network's precision");
        Err(argument(py, "DataError", &message, "clean the data first, for example with numpy.nan_to_num"))
    }
}

/// Class numbers below `classes`, one for each of `samples` rows.
pub fn labels(value: &Bound<'_, PyAny>, samples: usize, classes: usize) -> PyResult<Vec<u16>> {
    let py = value.py();
    let hint = "targets of this recipe's task are classes: pass a one-dimensional integer array of class numbers; \
        bouton.sklearn.BoutonClassifier takes any labels";
    let wrong = |class: &str, message: String| argument(py, class, &message, hint);
    let array = integers(value, "y").map_err(|(class, message)| wrong(class, message))?;
    if array.shape() != [samples] {
        return Err(wrong("ShapeError", format!("y has shape {:?}, x has {samples} rows", array.shape())));
    }
    let labels = array.as_slice().expect("one after the other");
    labels
        .iter()
        .enumerate()
        .map(|(i, &label)| match u16::try_from(label) {
            Ok(small) if usize::from(small) < classes => Ok(small),
            _ => Err(wrong(
                "DataError",
                format!("y[{i}] is {label}, but classes run from 0 to {}", classes - 1),
            )),
        })
        .collect()
}

/// Values of a regression, [samples, outputs]; one value a sample may come without the second axis.
pub fn values(value: &Bound<'_, PyAny>, dtype: DType, samples: usize, outputs: usize) -> PyResult<Mat> {
    let py = value.py();
    let hint = "targets of this recipe's task are values: pass an array of floating-point numbers, \
        as numpy.asarray(y, float)";
    let (found, values) = numbers(value, "y", hint)?;
    if found != [samples, outputs] && !(outputs == 1 && found == [samples]) {
        let message =
            format!("y has shape {found:?}, x has {samples} rows and the network {outputs} outputs");
        let hint =
            format!("pass a row of targets for each row of x: an array of shape ({samples}, {outputs})");
        return Err(argument(py, "ShapeError", &message, &hint));
    }
    copy(py, dtype, samples, outputs, values, "y")
}

/// Places of `samples` rows in a training set.
pub fn places(value: &Bound<'_, PyAny>, samples: usize) -> PyResult<Vec<usize>> {
    let hint = "pass one place per row of x, counted from 0 in the training set";
    let wrong = |class: &str, message: String| argument(value.py(), class, &message, hint);
    let array = integers(value, "ids").map_err(|(class, message)| wrong(class, message))?;
    if array.shape() != [samples] {
        return Err(wrong("ShapeError", format!("ids have shape {:?}, x has {samples} rows", array.shape())));
    }
    let ids = array.as_slice().expect("one after the other").iter();
    ids.map(|&id| usize::try_from(id).map_err(|_| wrong("DataError", format!("there is no sample {id}"))))
        .collect()
}

/// An array of integers, or what is wrong with it: class of the exception and message.
fn integers<'py>(
    value: &Bound<'py, PyAny>,
    name: &str,
) -> Result<PyReadonlyArrayDyn<'py, i64>, (&'static str, String)> {
    let broken = |e: PyErr| ("DataError", format!("{name} cannot be read: {}", e.value(value.py())));
    let read = || -> PyResult<Result<PyReadonlyArrayDyn<'py, i64>, String>> {
        let array = value.py().import("numpy")?.call_method1("asanyarray", (exchanged(value)?,))?;
        let dtype = array.getattr("dtype")?;
        if !matches!(dtype.getattr("kind")?.extract::<String>()?.as_str(), "i" | "u") {
            return Ok(Err(format!("{name} is an array of {dtype}")));
        }
        Ok(Ok(in_order(array.call_method1("astype", ("int64",))?.cast::<PyArrayDyn<i64>>()?, name)?))
    };
    read().map_err(broken)?.map_err(|message| ("DataError", message))
}
