using System.CommandLine;
using Cairn.Cli.CommandLine;
using Cairn.Contracts.Api;

namespace Cairn.Cli.Projects;

internal sealed class ChangeKeyCommand : CairnCommand
{
    private readonly Argument<string> _key = new("KEY") { Description = "The key's id or name, from `cairn keys`." };
    private readonly Option<bool> _block = new("--block") { Description = "Let it in nowhere until it is unblocked." };
    private readonly Option<bool> _unblock = new("--unblock") { Description = "Let it in again." };
    private readonly Option<string?> _unlimited = new("--unlimited")
    {
        Description = "Take these limits away, with commas: models, rpm, tpm, parallel, budget.", HelpName = "LIMITS",
    };

    private readonly KeyLimitFlags _limits = new();

    public ChangeKeyCommand() : base("change", "Change what a key may use; what is not named stays.", "cairn keys change app --budget 10\ncairn keys change app --block")
    {
        Arguments.Add(_key);
        foreach (var option in new Option[] { _block, _unblock, _unlimited })
            Options.Add(option);
        _limits.AddTo(this);
    }

    protected override async Task<int> RunAsync(CommandContext context, CancellationToken cancellationToken)
    {
        var (block, unblock) = (context.Get(_block), context.Get(_unblock));
        if (block && unblock)
            throw new CliException(ExitCodes.Usage, "--block and --unblock are opposites; give one of them.");
        var key = await KeysCommand.FindAsync(context, context.Get(_key)!, cancellationToken);
        var request = new ChangeKeyRequest
        {
            Blocked = block ? true : unblock ? false : null,
            Limits = _limits.Read(context),
            Unlimited = context.Get(_unlimited)?.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Select(Long).ToList(),
        };
        var changed = await context.Api.PostAsync<ChangeKeyRequest, KeyView>($"keys/{key.Id}", request, cancellationToken);
        context.Output.Write(changed, view => KeysCommand.Print(context.Output, [view]));
        return ExitCodes.Success;
    }

    private static string Long(string limit) => limit switch
    {
        "rpm" => "requests_per_minute",
        "tpm" => "tokens_per_minute",
        "parallel" => "parallel_requests",
        _ => limit,
    };
}
