using System.CommandLine;
using System.Globalization;
using Cairn.Cli.CommandLine;
using Cairn.Contracts.Api;

namespace Cairn.Cli.Usage;

internal sealed class UsageCommand : CairnCommand
{
    private readonly Option<string> _by = new("--by") { Description = "Group by key, model, endpoint or day.", DefaultValueFactory = _ => "model" };
    private readonly Option<string?> _key = new("--key") { Description = "Only this key's, by name or id.", HelpName = "KEY" };
    private readonly Option<string?> _model = new("--model") { Description = "Only this model's.", HelpName = "MODEL" };
    private readonly Option<string?> _since = new("--since")
    {
        Description = "A day, or how long ago, such as 24h; default the first of the month.", HelpName = "WHEN",
    };

    public UsageCommand() : base("usage", "What a project's keys used of its models, and what it cost.", "cairn usage --by key --since 24h")
    {
        foreach (var option in new Option[] { _by, _key, _model, _since })
            Options.Add(option);
        _by.AcceptOnlyFromAmong("key", "model", "endpoint", "day");
    }

    protected override async Task<int> RunAsync(CommandContext context, CancellationToken cancellationToken)
    {
        var usage = await context.Api.GetAsync<UsageView>(Query.Of("usage", ("by", context.Get(_by)), ("key", context.Get(_key)), ("model", context.Get(_model)),
            ("since", context.Get(_since)), ("project", context.Project)), cancellationToken);
        context.Output.Write(usage, view => Print(context.Output, view));
        return ExitCodes.Success;
    }

    private static void Print(Output output, UsageView usage)
    {
        var table = Output.NewTable(usage.By.ToUpperInvariant() + "~", ">REQUESTS", ">INPUT", ">CACHED", ">OUTPUT", ">$/M TOKENS", ">COST");
        foreach (var row in usage.Rows)
        {
            table.AddRow(Words.Escape(row.Name), Count(row.Requests), Count(row.InputTokens), Count(row.CachedTokens), Count(row.OutputTokens),
                Words.Usd(row.UsdPerMillionTokens), row.Cost.ToString());
        }
        table.AddRow("[bold]total[/]", "", "", "", "", "", $"[bold]{usage.Total}[/]");
        output.Table(table);
        output.Note(string.Create(CultureInfo.InvariantCulture, $"Since {usage.Since:yyyy-MM-dd HH:mm} UTC."));
    }

    private static string Count(long number) => number.ToString("N0", CultureInfo.InvariantCulture);
}
