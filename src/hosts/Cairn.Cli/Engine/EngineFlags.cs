using System.CommandLine;
using Cairn.Cli.CommandLine;
using Cairn.Contracts.Units;
using Cairn.Frameworks.Engine;

namespace Cairn.Cli.Engine;

/// <summary>How a language model runs: the same flags for <c>engine</c> and <c>engine bench</c>.</summary>
internal sealed class EngineFlags
{
    private static readonly EngineOptions s_standard = new();
    private readonly Option<int?> _context = new("--context") { Description = "Cut the model's context to so many tokens; memory of keys and values is proportional.", HelpName = "TOKENS" };
    private readonly Option<int?> _threads = new("--threads") { Description = "Threads of one step; default the machine's physical cores.", HelpName = "N" };
    private readonly Option<string?> _prefixCache = new("--prefix-cache") { Description = $"Memory for finished prefixes, such as 1GiB; 0 turns the cache off. Default {ByteSize.Format(s_standard.PrefixCacheBytes)}.", HelpName = "SIZE" };
    private readonly Option<string?> _kvMemory = new("--kv-memory") { Description = "Memory for keys and values of all rows, such as 2GiB; default enough for every row's whole context. With less, rows share it and wait for each other.", HelpName = "SIZE" };
    private readonly Option<string?> _variant = new("--variant") { Description = "Which of a folder's files to run, by its suffix, such as q4 or fp16; default the first there is.", HelpName = "SUFFIX" };
    private readonly Option<int> _stepBudget = new("--step-budget") { Description = "What running streams may wait for prefill between two tokens, in milliseconds.", DefaultValueFactory = _ => s_standard.StepBudgetMilliseconds, HelpName = "MS" };

    public void AddTo(Command command)
    {
        foreach (var option in new Option[] { _context, _threads, _prefixCache, _kvMemory, _variant, _stepBudget })
            command.Options.Add(option);
    }

    public EngineOptions Read(CommandContext context, int rows, int queue) => new()
    {
        Rows = rows,
        QueueLimit = queue,
        ContextLength = context.Get(_context),
        Threads = context.Get(_threads),
        StepBudgetMilliseconds = context.Get(_stepBudget),
        KeyValueBytes = Size("--kv-memory", context.Get(_kvMemory)),
        Variant = context.Get(_variant),
        PrefixCacheBytes = Size("--prefix-cache", context.Get(_prefixCache)) ?? s_standard.PrefixCacheBytes,
    };

    private static long? Size(string option, string? text)
    {
        if (text is null)
            return null;
        return ByteSize.TryParse(text, out var bytes)
            ? bytes
            : throw new CliException(ExitCodes.Usage, $"{option} {text}: expected a size, such as 512MiB or 1GiB.");
    }
}
