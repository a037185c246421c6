using System.Globalization;
using Cairn.Frameworks.Onnx.Proto;

namespace Cairn.Frameworks.Onnx;

/// <summary>
/// Where a tensor's bytes lie outside the model's file (the ONNX specification's ExternalData.md: keys location, offset, length).
/// </summary>
/// <param name="Path">The file's full path, inside the model's folder.</param>
/// <param name="Location">The path as the model writes it, relative to its folder.</param>
internal readonly record struct ExternalData(string Path, string Location, long Offset, long Length)
{
    internal static bool Holds(TensorProto tensor) => tensor.DataLocation == TensorProto.Types.DataLocation.External;

    /// <summary>
    /// Reads a tensor's location and checks it against the file on disk. A link inside the folder may point anywhere: model caches are made
    /// of links.
    /// </summary>
    /// <exception cref="OnnxFormatException">The location leaves the folder, or the file is missing or too short.</exception>
    internal static ExternalData Locate(TensorProto tensor, string modelPath)
    {
        var model = System.IO.Path.GetFileName(modelPath);
        var expected = TensorTypes.ByteLength(tensor);
        var location = Entry(tensor, "location") is { Length: > 0 } found
            ? found : throw new OnnxFormatException($"{model}: tensor '{tensor.Name}' has external data without a location");
        var offset = Number(tensor, "offset", model) ?? 0;
        var length = Number(tensor, "length", model) ?? expected;
        if (length != expected)
            throw new OnnxFormatException(
                $"{model}: tensor '{tensor.Name}' ({Describe(tensor, expected)}) has {length} bytes in '{location}'; expected {expected}");
        var path = Inside(tensor, location, modelPath);
        var file = new FileInfo(path);
        if (!file.Exists)
            throw new OnnxFormatException(
                $"{model}: tensor '{tensor.Name}' ({Describe(tensor, expected)}) is in '{location}', which is missing: {path}. "
                + "Copy it beside the model");
        var actual = (file.ResolveLinkTarget(returnFinalTarget: true) as FileInfo ?? file).Length;
        if (offset > actual - length)
            throw new OnnxFormatException(
                $"{model}: tensor '{tensor.Name}' ({Describe(tensor, expected)}) needs bytes {offset} to {offset + length} "
                + $"of '{location}', which has {actual}: the file is truncated. Copy it again");
        return new ExternalData(path, location, offset, length);
    }

    private static string Inside(TensorProto tensor, string location, string modelPath)
    {
        var folder = System.IO.Path.GetDirectoryName(System.IO.Path.GetFullPath(modelPath))!;
        var root = System.IO.Path.EndsInDirectorySeparator(folder) ? folder : folder + System.IO.Path.DirectorySeparatorChar;
        var path = location.Contains('\0') ? "" : System.IO.Path.GetFullPath(location, folder);
        if (System.IO.Path.IsPathRooted(location) || location.Contains('\\') || !path.StartsWith(root, StringComparison.Ordinal))
            throw new OnnxFormatException(
                $"{System.IO.Path.GetFileName(modelPath)}: tensor '{tensor.Name}' has its data in '{location}'; "
                + "expected a path inside the model's folder, with '/' between its parts");
        return path;
    }

    private static string? Entry(TensorProto tensor, string key) => tensor.ExternalData.FirstOrDefault(entry => entry.Key == key)?.Value;

    private static long? Number(TensorProto tensor, string key, string model) => Entry(tensor, key) switch
    {
        null => null,
        { } text when long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) => number,
        { } text => throw new OnnxFormatException(
            $"{model}: tensor '{tensor.Name}' has external data with {key} '{text}'; a number of bytes, 0 or more, is expected"),
    };

    private static string Describe(TensorProto tensor, long bytes) =>
        $"{TensorTypes.Name(tensor)} {TensorTypes.Shape(tensor)}, {bytes} bytes";
}
