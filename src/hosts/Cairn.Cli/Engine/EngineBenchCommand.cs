using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using Cairn.Cli.CommandLine;
using Cairn.Frameworks.Engine;
using Cairn.Frameworks.Engine.Measuring;

namespace Cairn.Cli.Engine;

internal sealed class EngineBenchCommand : CairnCommand
{
    private const int MostRequests = 256;
    private readonly Argument<string> _folder = new("FOLDER") { Description = "The folder of a language model." };
    private readonly Option<string> _batch = new("--batch")
    {
        Description = "How many requests run together; one run each.", DefaultValueFactory = _ => "1,2,4,8", HelpName = "N,N,…",
    };

    private readonly Option<int> _prompt = new("--prompt") { Description = "Tokens of each prompt.", DefaultValueFactory = _ => 128, HelpName = "TOKENS" };
    private readonly Option<int> _tokens = new("--tokens")
    {
        Description = "Tokens of each output, at least 2.", DefaultValueFactory = _ => 128, HelpName = "TOKENS",
    };

    private readonly EngineFlags _flags = new();

    public EngineBenchCommand() : base("bench", "Measure a language model on this machine: tokens per second by batch, time to the first token and between tokens, memory.",
        "cairn engine bench models/tiny --batch 1,8 --prompt 128 --tokens 128")
    {
        Arguments.Add(_folder);
        foreach (var option in new Option[] { _batch, _prompt, _tokens })
            Options.Add(option);
        _flags.AddTo(this);
    }

    protected override async Task<int> RunAsync(CommandContext context, CancellationToken cancellationToken)
    {
        var errors = new List<string>();
        var batches = Batches(context.Get(_batch)!, errors);
        var (prompt, tokens) = (context.Get(_prompt), context.Get(_tokens));
        if (prompt < 1)
            errors.Add($"--prompt is {prompt}; expected at least 1.");
        if (tokens < 2)
            errors.Add($"--tokens is {tokens}; expected at least 2, since the time between tokens is measured.");
        var options = _flags.Read(context, batches.Max(), MostRequests, errors);
        errors.AddRange(options.Problems());
        var folder = Path.GetFullPath(context.Get(_folder)!);
        var missing = Directory.Exists(folder) ? null : $"There is no folder {folder}.";
        if (errors.Count > 0)
            throw new CliException(ExitCodes.Usage, "Nothing can be measured so:", missing is null ? errors : [missing, .. errors]);
        if (missing is not null)
            throw new CliException(ExitCodes.NotFound, missing);

        var began = Stopwatch.GetTimestamp();
        await using var model = Load(folder, options);
        var loaded = Stopwatch.GetElapsedTime(began);
        if (prompt + tokens > model.ContextLength)
            throw new CliException(ExitCodes.Usage, $"--prompt {prompt} and --tokens {tokens} do not fit the model's context of {model.ContextLength}.");
        context.Output.Note($"Loaded in {Words.Duration(loaded)}. Measuring {prompt} + {tokens} tokens at {string.Join(", ", batches)} requests together.");

        // The first run pays for what the runtime prepares.
        await ModelBench.RunAsync(model, 1, Math.Min(prompt, 16), 2, TimeProvider.System, cancellationToken);
        var results = new List<BenchResult>();
        foreach (var batch in batches)
        {
            context.Output.Note($"  {batch} together …");
            results.Add(await ModelBench.RunAsync(model, batch, prompt, tokens, TimeProvider.System, cancellationToken));
        }

        var report = new BenchReport(folder, Math.Round(loaded.TotalSeconds, 3), prompt, tokens, results);
        context.Output.Write(report, all => Show(context.Output, all));
        return ExitCodes.Success;
    }

    private static LanguageModel Load(string folder, EngineOptions options)
    {
        try
        {
            return LanguageModel.Load(folder, options, TimeProvider.System);
        }
        catch (ModelLoadException exception)
        {
            throw new CliException(ExitCodes.Refused, exception.Message);
        }
    }

    private static List<int> Batches(string text, List<string> errors)
    {
        var batches = new List<int>();
        foreach (var part in text.Split(',', StringSplitOptions.TrimEntries))
        {
            if (int.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out var batch) && batch is >= 1 and <= MostRequests)
                batches.Add(batch);
            else
                errors.Add($"--batch {text}: '{part}' is no number from 1 to {MostRequests}.");
        }

        // What is refused anyway leaves none: the other flags are read all the same.
        return batches.Count > 0 ? batches : [1];
    }

    private static void Show(Output output, BenchReport report)
    {
        var table = Output.NewTable(">batch", ">tokens/s", ">prompt tokens/s", ">first token p50", ">p99", ">per token p50", ">p99", ">memory");
        foreach (var row in report.Results)
        {
            table.AddRow(
                Words.Number(row.Batch), Words.Number(row.TokensPerSecond), Words.Number(row.PromptTokensPerSecond), Milliseconds(row.FirstTokenP50),
                Milliseconds(row.FirstTokenP99), Milliseconds(row.TokenP50), Milliseconds(row.TokenP99), Words.Bytes(row.MemoryBytes));
        }

        output.Table(table);
    }

    private static string Milliseconds(double milliseconds) => Words.Number(milliseconds) + " ms";

    private sealed record BenchReport(string Folder, double LoadSeconds, int PromptTokens, int OutputTokens, IReadOnlyList<BenchResult> Results);
}
