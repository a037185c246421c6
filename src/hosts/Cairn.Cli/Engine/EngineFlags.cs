using System.CommandLine;
using Cairn.Cli.CommandLine;
using Cairn.Contracts.Units;
using Cairn.Frameworks.Engine;

namespace Cairn.Cli.Engine;

/// <summary>How a language model runs: the same flags for <c>engine</c> and <c>engine bench</c>.</summary>
internal sealed class EngineFlags
{
    private static readonly EngineOptions s_standard = new();
    private readonly Option<int?> _context = new("--context")
    {
        Description = "Cut the model's context to so many tokens; memory of keys and values is proportional.", HelpName = "TOKENS",
    };

    private readonly Option<int?> _threads = new("--threads") { Description = "Threads of one step; default the machine's physical cores.", HelpName = "N" };
    private readonly Option<string?> _prefixCache = new("--prefix-cache")
    {
        Description = $"Memory for finished prefixes, such as 1GiB; 0 turns the cache off. Default {ByteSize.Format(s_standard.PrefixCacheBytes)}.",
        HelpName = "SIZE",
    };

    private readonly Option<string?> _kvMemory = new("--kv-memory")
    {
        Description = "Memory for keys and values of all rows, such as 2GiB; default enough for every row's whole context. With less, rows share it and wait for each other.",
        HelpName = "SIZE",
    };

    private readonly Option<string?> _variant = new("--variant")
    {
        Description = "Which of a folder's files to run, by its suffix, such as q4 or fp16; default the first there is.",
        HelpName = "SUFFIX",
    };

    private readonly Option<int> _stepBudget = new("--step-budget")
    {
        Description = "What running streams may wait for prefill between two tokens, in milliseconds.",
        DefaultValueFactory = _ => s_standard.StepBudgetMilliseconds,
        HelpName = "MS",
    };

    private readonly Option<double> _prefillRatio = new("--prefill-ratio")
    {
        Description = "How long a step may prefill for each millisecond that it decodes, 0.1 to 1000: more brings first tokens sooner, less keeps running streams smooth.",
        DefaultValueFactory = _ => s_standard.PrefillRatio,
        HelpName = "RATIO",
    };

    private readonly Option<int> _spin = new("--spin")
    {
        Description = "How long a thread of a step waits awake for its next work, in microseconds, 0 to 1000000: more is for a machine that does nothing else.",
        DefaultValueFactory = _ => s_standard.SpinMicroseconds,
        HelpName = "US",
    };

    public void AddTo(Command command)
    {
        foreach (var option in new Option[] { _context, _threads, _prefixCache, _kvMemory, _variant, _stepBudget, _prefillRatio, _spin })
            command.Options.Add(option);
    }

    /// <param name="context">The parsed line.</param>
    /// <param name="rows">Of the batch.</param>
    /// <param name="queue">Requests that may wait.</param>
    /// <param name="errors">Takes one sentence for every flag that cannot be read; their ranges are the options' own matter.</param>
    public EngineOptions Read(CommandContext context, int rows, int queue, List<string> errors) => new()
    {
        Rows = rows,
        QueueLimit = queue,
        ContextLength = context.Get(_context),
        Threads = context.Get(_threads),
        StepBudgetMilliseconds = context.Get(_stepBudget),
        PrefillRatio = context.Get(_prefillRatio),
        SpinMicroseconds = context.Get(_spin),
        KeyValueBytes = Size("--kv-memory", context.Get(_kvMemory), errors),
        Variant = context.Get(_variant),
        PrefixCacheBytes = Size("--prefix-cache", context.Get(_prefixCache), errors) ?? s_standard.PrefixCacheBytes,
    };

    private static long? Size(string option, string? text, List<string> errors)
    {
        if (text is null)
            return null;
        if (ByteSize.TryParse(text, out var bytes))
            return bytes;
        errors.Add($"{option} {text}: expected a size, such as 512MiB or 1GiB.");
        return null;
    }
}
