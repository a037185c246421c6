using Cairn.Frameworks.Onnx;
using Cairn.Frameworks.Tokenizing;
using Microsoft.ML.OnnxRuntime;

namespace Cairn.Frameworks.Quantizing;

/// <summary>Runs a model and its quantised form side by side.</summary>
internal static class Measurement
{
    /// <param name="before">The model as it was.</param>
    /// <exception cref="QuantizeException">The quantised form does not load: nothing that cannot run is handed out.</exception>
    internal static QuantizeReport Measure(
        QuantizeReport report, ModelSource source, InferenceSession before, string quantized, QuantizeOptions options, TimeProvider time,
        CancellationToken cancellationToken)
    {
        using var after = Load(quantized, "the quantised model");
        try
        {
            return DecoderRun.Fits(before.InputMetadata.Keys, before.OutputMetadata.Keys)
                ? MeasureDecoder(report, source, before, after, options, time, cancellationToken)
                : OutputComparing.Compare(before, after, time, cancellationToken) is { } outputs
                    ? report with { Outputs = outputs }
                    : report with { NotMeasured = "it has an input or output that is no tensor of numbers, or none of floats" };
        }
        catch (OnnxRuntimeException error)
        {
            return report with { NotMeasured = $"the runtime ends it with: {error.Message}" };
        }
    }

    private static QuantizeReport MeasureDecoder(
        QuantizeReport report, ModelSource source, InferenceSession before, InferenceSession after, QuantizeOptions options,
        TimeProvider time, CancellationToken cancellationToken)
    {
        if (source.Folder is null)
            return report with { NotMeasured = "a file alone has no tokenizer; quantise the model's folder" };
        int[] tokens;
        try
        {
            tokens = Tokenizer.Load(source.Folder).Encode(CalibrationText.Read(options.CalibrationFile));
        }
        catch (TokenizerFormatException error)
        {
            return report with { NotMeasured = error.Message };
        }
        using var first = new DecoderRun(before);
        using var second = new DecoderRun(after);
        var window = Math.Min(DecoderComparing.Window, source.ContextLength() ?? DecoderComparing.Window);
        return report with { Decoder = new DecoderComparing(first, second, window, time).Compare(tokens, cancellationToken) };
    }

    /// <summary>Opens a model with the runtime, which checks the graph.</summary>
    internal static InferenceSession Load(string path, string what)
    {
        try
        {
            using var options = new SessionOptions { LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR };
            // Two sessions share the processors: one's threads must not spin while the other is measured.
            options.AddSessionConfigEntry("session.intra_op.allow_spinning", "0");
            return new InferenceSession(path, options);
        }
        catch (OnnxRuntimeException error)
        {
            throw new QuantizeException($"{path}: the runtime does not load {what}: {error.Message}", error);
        }
    }
}
