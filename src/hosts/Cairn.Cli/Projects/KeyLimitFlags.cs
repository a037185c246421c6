using System.CommandLine;
using Cairn.Cli.CommandLine;
using Cairn.Contracts.Api;
using Cairn.Contracts.Units;

namespace Cairn.Cli.Projects;

/// <summary>The flags that say what a key may use of models.</summary>
internal sealed class KeyLimitFlags
{
    private readonly Option<string?> _models = new("--models") { Description = "Only these, with commas; a name may end in *.", HelpName = "A,B*" };
    private readonly Option<long?> _rpm = new("--rpm") { Description = "Most requests in any minute.", HelpName = "N" };
    private readonly Option<long?> _tpm = new("--tpm") { Description = "Most tokens, prompts and outputs together, in any minute.", HelpName = "N" };
    private readonly Option<int?> _parallel = new("--parallel") { Description = "Most requests at once.", HelpName = "N" };
    private readonly Option<string?> _budget = new("--budget") { Description = "Most dollars per period.", HelpName = "USD" };
    private readonly Option<string?> _period = new("--period") { Description = "When the budget begins anew: total (never), daily, weekly or monthly." };

    public KeyLimitFlags() => _period.AcceptOnlyFromAmong("total", "daily", "weekly", "monthly");

    public void AddTo(Command command)
    {
        foreach (var option in new Option[] { _models, _rpm, _tpm, _parallel, _budget, _period })
            command.Options.Add(option);
    }

    /// <summary>Null where no flag was given.</summary>
    public KeyLimitsView? Read(CommandContext context)
    {
        var limits = new KeyLimitsView
        {
            Models = context.Get(_models)?.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries),
            RequestsPerMinute = context.Get(_rpm),
            TokensPerMinute = context.Get(_tpm),
            ParallelRequests = context.Get(_parallel),
            Budget = Budget(context.Get(_budget)),
            BudgetPeriod = context.Get(_period),
        };
        return limits == new KeyLimitsView() ? null : limits;
    }

    private static Money? Budget(string? text)
    {
        if (text is null)
            return null;
        return MoneyText.TryParse(text, out var budget) ? budget : throw new CliException(ExitCodes.Usage, $"--budget {text}: expected dollars, such as 5 or $12.50.");
    }
}
