using Cairn.Frameworks.Onnx;
using Cairn.Frameworks.Onnx.Proto;

namespace Cairn.Frameworks.Quantizing;

/// <summary>Makes a smaller, faster copy of an ONNX model, and measures what that changed.</summary>
public static class ModelQuantizer
{
    /// <summary>
    /// Above so many bytes weights lie beside the graph: a file of protobuf ends at 2 GiB, and readers map data beside it.
    /// </summary>
    private const long InsideUpTo = 256 << 20;

    /// <summary>
    /// Reads a model's folder or a single .onnx file, and writes the same, with everything else of the folder, to <paramref
    /// name="output"/>.
    /// </summary>
    /// <param name="progress">Told what is being done.</param>
    /// <exception cref="QuantizeException">The model cannot be quantised as asked.</exception>
    /// <exception cref="OnnxFormatException">The model is corrupt, or data of it is missing.</exception>
    public static QuantizeReport Quantize(
        string input, string output, QuantizeOptions options, TimeProvider time, IProgress<string>? progress,
        CancellationToken cancellationToken)
    {
        options.Validate();
        var source = ModelSource.Find(input);
        var model = OnnxFile.Read(source.ModelPath);
        OnnxFile.CheckExternalData(model, source.ModelPath);
        AlreadyQuantized.Refuse(model, source.ModelPath, options.Target);
        var own = source.OwnFiles(model);
        using var files = new QuantizedFiles(output, source, options.Replace);
        var bytes = own.Sum(Size);
        using var before = Measurement.Load(source.ModelPath, "the model");

        progress?.Report($"quantising {source.ModelPath}");
        var weights = LargeWeights(model);
        var converted = Write(model, source, files.ModelPath, bytes, options, cancellationToken);
        var kept = LargeWeights(model).Intersect(weights).Except(converted.Select(weight => weight.Name)).ToList();
        var after = Directory.EnumerateFiles(Path.GetDirectoryName(files.ModelPath)!).Sum(file => new FileInfo(file).Length);
        files.CopyOthers(own, cancellationToken);
        if (options.Target == QuantizeTarget.Float16)
            files.DeclareHalfCache();

        progress?.Report("measuring both");
        var report = new QuantizeReport(source.RelativePath, options.Target, bytes, after, converted, kept);
        report = Measurement.Measure(report, source, before, files.ModelPath, options, time, cancellationToken);
        files.Publish();
        return report;
    }

    private static IReadOnlyList<ConvertedWeight> Write(
        ModelProto model, ModelSource source, string path, long bytes, QuantizeOptions options, CancellationToken cancellationToken)
    {
        using var reader = new TensorReader(source.ModelPath);
        using var writer = new OnnxWriter(path, bytes > InsideUpTo ? 1024 : long.MaxValue);
        var converted = options.Target == QuantizeTarget.Float16
            ? HalfPrecision.Convert(model, reader, writer, cancellationToken)
            : new WeightQuantizer(reader, writer, options, cancellationToken).Quantize(model);
        if (converted.Count == 0)
            throw new QuantizeException($"{source.ModelPath}: no weight that can be quantised: {Describe(model)}");
        foreach (var tensor in ModelTensors.Of(model).Where(ExternalData.Holds).Where(tensor => !writer.Wrote(tensor)))
        {
            cancellationToken.ThrowIfCancellationRequested();
            writer.Take(tensor, reader);
        }
        writer.Finish(model);
        return converted;
    }

    /// <summary>A link counts as what it points to.</summary>
    private static long Size(string path)
    {
        using var file = File.OpenRead(path);
        return file.Length;
    }

    private static List<string> LargeWeights(ModelProto model) =>
    [
        .. model.Graph.Initializer.Where(TensorReader.IsFloating).Where(tensor => TensorTypes.Count(tensor) > 1024)
            .Select(tensor => tensor.Name),
    ];

    private static string Describe(ModelProto model) =>
        "its operators are " + string.Join(", ", model.Graph.Node.CountBy(node => node.OpType).OrderByDescending(pair => pair.Value)
            .Take(5).Select(pair => $"{pair.Value} × {pair.Key}"));
}
