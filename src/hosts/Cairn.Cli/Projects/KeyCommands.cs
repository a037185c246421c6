using System.CommandLine;
using System.Globalization;
using Cairn.Cli.CommandLine;
using Cairn.Contracts.Api;

namespace Cairn.Cli.Projects;

internal sealed class KeysCommand : CairnCommand
{
    public KeysCommand() : base("keys", "List API keys with their limits and what they spent; create, change or revoke one.", "cairn keys create ci --role member --in research")
    {
        Subcommands.Add(new CreateKeyCommand());
        Subcommands.Add(new ChangeKeyCommand());
        Subcommands.Add(new RevokeKeyCommand());
    }

    /// <summary>The key of an id or of a name that one live key has.</summary>
    public static async Task<KeyView> FindAsync(CommandContext context, string text, CancellationToken cancellationToken)
    {
        var keys = await context.Api.ListAsync<KeyView>("keys", int.MaxValue, cancellationToken);
        var found = keys.Where(key => key.Id.ToString() == text || (key.Name == text && !key.Revoked)).ToList();
        return found switch
        {
            [var one] => one,
            [] => throw new CliException(ExitCodes.NotFound, $"There is no key '{text}'; `cairn keys` lists them."),
            _ => throw new CliException(ExitCodes.Usage, $"{found.Count} keys are called '{text}'; give the id of the one that is meant.", [.. found.Select(key => key.Id.ToString())]),
        };
    }

    public static void Print(Output output, IReadOnlyList<KeyView> keys)
    {
        var table = Output.NewTable("ID", "NAME~", "ROLE", "PROJECT~", "LIMITS~", ">SPENT", "STATE~");
        foreach (var key in keys)
            table.AddRow(key.Id.ToString(), Words.Escape(key.Name), EnumWords.Of(key.Role), Words.Escape(key.Project), Words.Escape(Limits(key)), key.Spent.ToString(), State(key));
        output.Table(table);
    }

    protected override async Task<int> RunAsync(CommandContext context, CancellationToken cancellationToken)
    {
        var keys = await context.Api.ListAsync<KeyView>("keys", int.MaxValue, cancellationToken);
        context.Output.Write(keys, list => Print(context.Output, list));
        return ExitCodes.Success;
    }

    private static string State(KeyView key)
    {
        if (key.Revoked)
            return "revoked";
        var expires = key.ExpiresAt is { } at ? " until " + at.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture) : "";
        return (key.Blocked ? "blocked" : "live") + expires;
    }

    private static string Limits(KeyView key)
    {
        if (key.Limits is not { } limits)
            return "–";
        var words = new List<string>();
        if (limits.Budget is { } budget)
            words.Add(limits.BudgetPeriod is null or "total" ? $"{budget}" : $"{budget} {limits.BudgetPeriod}");
        if (limits.RequestsPerMinute is { } requests)
            words.Add($"{requests} rpm");
        if (limits.TokensPerMinute is { } tokens)
            words.Add($"{tokens} tpm");
        if (limits.ParallelRequests is { } parallel)
            words.Add($"{parallel} at once");
        words.AddRange(limits.Models ?? []);
        return string.Join(", ", words);
    }
}

internal sealed class RevokeKeyCommand : CairnCommand
{
    private readonly Argument<string> _id = new("ID") { Description = "The key's id, from `cairn keys`." };

    public RevokeKeyCommand() : base("revoke", "Make a key, and those under it, useless at once.", "cairn keys revoke 01990000-0000-7000-8000-000000000000") => Arguments.Add(_id);

    protected override async Task<int> RunAsync(CommandContext context, CancellationToken cancellationToken)
    {
        await context.Api.DeleteAsync("keys/" + Query.Segment(context.Get(_id)!), cancellationToken);
        context.Output.Note($"Key {context.Get(_id)} is revoked.");
        return ExitCodes.Success;
    }
}
