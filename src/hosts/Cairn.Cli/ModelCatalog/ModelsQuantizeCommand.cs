using System.CommandLine;
using System.Globalization;
using Cairn.Cli.CommandLine;
using Cairn.Frameworks.Onnx;
using Cairn.Frameworks.Quantizing;

namespace Cairn.Cli.ModelCatalog;

internal sealed class ModelsQuantizeCommand : CairnCommand
{
    private readonly Argument<string> _input = new("IN") { Description = "A model's folder, or a single .onnx file." };
    private readonly Argument<string> _output = new("OUT") { Description = "The folder, or file, to make." };
    private readonly Option<string> _to = new("--to") { Description = "fp16, int8 or int4.", HelpName = "PRECISION", Required = true };
    private readonly Option<string?> _calibration = new("--calibration")
    {
        Description = "A text to measure on, UTF-8; default a built-in English one.", HelpName = "FILE",
    };
    private readonly Option<int> _blockSize = new("--block-size")
    {
        Description = "Weights that share a scale: 16, 32, 64, 128 or 256.", DefaultValueFactory = _ => 32, HelpName = "N",
    };
    private readonly Option<int> _outputBits = new("--output-bits")
    {
        Description = "Bits of the layer that makes the logits, with int4: 4 or 8.", DefaultValueFactory = _ => 8, HelpName = "BITS",
    };
    private readonly Option<bool> _embeddings = new("--embeddings") { Description = "Token embeddings to 8 bits too: smaller, no faster." };
    private readonly Option<bool> _force = new("--force") { Description = "Replace what is at OUT." };

    public ModelsQuantizeCommand()
        : base("quantize", "Make a smaller, faster copy of an ONNX model, and measure what that changed. Needs no server.",
            "cairn models quantize llama-3.2-1b llama-3.2-1b-int4 --to int4")
    {
        _to.AcceptOnlyFromAmong("fp16", "int8", "int4");
        Arguments.Add(_input);
        Arguments.Add(_output);
        foreach (var option in new Option[] { _to, _calibration, _blockSize, _outputBits, _embeddings, _force })
            Options.Add(option);
    }

    protected override async Task<int> RunAsync(CommandContext context, CancellationToken cancellationToken)
    {
        var output = context.Output;
        var progress = new Notes(output);
        try
        {
            // Off the thread that reads Ctrl-C, which the token brings here.
            var (from, to) = (context.Get(_input)!, context.Get(_output)!);
            var report = await Task.Run(
                () => ModelQuantizer.Quantize(from, to, Asked(context), TimeProvider.System, progress, cancellationToken),
                    cancellationToken);
            output.Write(report, _ => Print(output, report));
            return ExitCodes.Success;
        }
        catch (Exception error) when (error is QuantizeException or OnnxFormatException)
        {
            throw new CliException(ExitCodes.Refused, error.Message);
        }
    }

    private QuantizeOptions Asked(CommandContext context) => new()
    {
        Target = context.Get(_to) switch { "fp16" => QuantizeTarget.Float16, "int8" => QuantizeTarget.Int8, _ => QuantizeTarget.Int4 },
        BlockSize = context.Get(_blockSize),
        OutputLayerBits = context.Get(_outputBits),
        Embeddings = context.Get(_embeddings),
        CalibrationFile = context.Get(_calibration),
        Replace = context.Get(_force),
    };

    private static void Print(Output output, QuantizeReport report)
    {
        var table = Output.NewTable("  WHAT", ">BEFORE", ">AFTER", "CHANGE~");
        table.AddRow("  size", Words.Bytes(report.BytesBefore), Words.Bytes(report.BytesAfter),
            Share(report.BytesAfter, report.BytesBefore));
        if (report.Decoder is { } decoder)
        {
            table.AddRow("  perplexity", Number(decoder.PerplexityBefore), Number(decoder.PerplexityAfter),
                $"divergence {Number(decoder.MeanDivergence)} nats");
            table.AddRow("  reading, tokens/s", Number(decoder.SpeedBefore.Prefill), Number(decoder.SpeedAfter.Prefill),
                Times(decoder.SpeedAfter.Prefill, decoder.SpeedBefore.Prefill));
            table.AddRow("  writing, tokens/s", Number(decoder.SpeedBefore.Decode), Number(decoder.SpeedAfter.Decode),
                Times(decoder.SpeedAfter.Decode, decoder.SpeedBefore.Decode));
        }
        if (report.Outputs is { } outputs)
            table.AddRow("  runs/s", Number(outputs.RunsPerSecondBefore), Number(outputs.RunsPerSecondAfter),
                Times(outputs.RunsPerSecondAfter, outputs.RunsPerSecondBefore));
        output.Table(table);
        output.Line("");
        output.Line(Judgement(report));
        output.Note($"{report.Converted.Count} weights converted, {report.Kept.Count} kept"
            + (report.Kept.Count == 0 ? "." : $": {string.Join(", ", report.Kept.Take(5))}{(report.Kept.Count > 5 ? ", …" : ".")}"));
    }

    private static string Judgement(QuantizeReport report) => report switch
    {
        { Decoder: { } decoder } =>
            $"The same next token at {decoder.Top1Agreement * 100:0.0} % of {decoder.Tokens} positions; "
            + $"logits differ by {Number(decoder.MeanLogitError)} on average, {Number(decoder.MaximumLogitError)} at most.",
        { Outputs: { } outputs } =>
            $"Outputs on random inputs differ by {outputs.RelativeError * 100:0.00} % (root mean square), "
            + $"{Number(outputs.MaximumError)} at most.",
        _ => $"Not measured: {report.NotMeasured}.",
    };

    private static string Share(long after, long before) => (100.0 * after / before).ToString("0.0", CultureInfo.InvariantCulture) + " %";

    private static string Times(double after, double before) => (after / before).ToString("0.00", CultureInfo.InvariantCulture) + " ×";

    private static string Number(double value) =>
        Math.Abs(value) is > 0 and < 0.1 ? value.ToString("0.######", CultureInfo.InvariantCulture) : Words.Number(value);

    /// <summary>At once, unlike <see cref="Progress{T}"/>, which posts to another thread.</summary>
    private sealed class Notes(Output output) : IProgress<string>
    {
        public void Report(string value) => output.Note(value);
    }
}
