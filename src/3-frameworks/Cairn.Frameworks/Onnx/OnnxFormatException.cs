namespace Cairn.Frameworks.Onnx;

/// <summary>
/// An ONNX file, or data beside it, cannot be used; the message names the file, the tensor where there is one, and what was expected.
/// </summary>
public sealed class OnnxFormatException(string message, Exception? inner = null) : Exception(message, inner);
