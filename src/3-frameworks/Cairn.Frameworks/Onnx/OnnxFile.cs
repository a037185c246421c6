using Cairn.Frameworks.Onnx.Proto;
using Google.Protobuf;

namespace Cairn.Frameworks.Onnx;

/// <summary>
/// Reads and writes a model's file. The format is protobuf, so the file itself is at most 2 GiB; larger weights are external data.
/// </summary>
internal static class OnnxFile
{
    /// <summary>
    /// Reads a model's graph and what lies inside its file; external data stays on disk. Fields that the schema does not know are kept.
    /// </summary>
    /// <exception cref="OnnxFormatException">There is no such file, or it is no ONNX model.</exception>
    internal static ModelProto Read(string path)
    {
        var file = new FileInfo(path);
        if (!file.Exists)
            throw new OnnxFormatException($"{path}: there is no such file");
        try
        {
            using var stream = file.OpenRead();
            if (stream.Length > int.MaxValue)
                throw new OnnxFormatException(
                    $"{path}: {stream.Length} bytes; an ONNX file has at most {int.MaxValue}, the rest is external data");
            var model = ModelProto.Parser.ParseFrom(stream);
            return model.Graph is not null && model.OpsetImport.Count > 0
                ? model : throw new OnnxFormatException($"{path}: no ONNX model: a graph and a version of its operators are expected");
        }
        catch (InvalidProtocolBufferException error)
        {
            throw new OnnxFormatException($"{path}: no whole ONNX model: {error.Message}", error);
        }
    }

    /// <summary>Checks that every tensor's external data is there, in full and inside the model's folder, without reading it.</summary>
    /// <exception cref="OnnxFormatException">Names the first tensor whose data is not.</exception>
    internal static void CheckExternalData(ModelProto model, string path)
    {
        foreach (var tensor in ModelTensors.Of(model).Where(ExternalData.Holds))
            ExternalData.Locate(tensor, path);
    }

    /// <summary>Writes a model whose tensors are complete: inside it, or described as external data.</summary>
    internal static void Write(ModelProto model, string path)
    {
        var inside = ModelTensors.Of(model).Sum(tensor => (long)tensor.RawData.Length);
        if (inside > int.MaxValue)
            throw new ArgumentException(
                $"{inside} bytes of tensors lie inside the model; at most {int.MaxValue} fit, the rest must be external data");
        using var stream = new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.None, 1 << 16);
        model.WriteTo(stream);
        stream.Flush(flushToDisk: true);
    }
}
