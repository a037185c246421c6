using System.CommandLine;
using System.Globalization;
using Cairn.Cli.CommandLine;
using Cairn.Contracts.Api;

namespace Cairn.Cli.Nodes;

internal sealed class NodeTokensCommand : CairnCommand
{
    private readonly Option<string?> _revoke = new("--revoke") { Description = "Make this token useless.", HelpName = "ID" };

    public NodeTokensCommand() : base("tokens", "List join tokens, or revoke one.", "cairn node tokens") => Options.Add(_revoke);

    protected override async Task<int> RunAsync(CommandContext context, CancellationToken cancellationToken)
    {
        if (context.Get(_revoke) is { } id)
        {
            await context.Api.DeleteAsync("join-tokens/" + Query.Segment(id), cancellationToken);
            context.Output.Note($"Token {id} is revoked.");
            return ExitCodes.Success;
        }

        var tokens = await context.Api.ListAsync<JoinTokenView>("join-tokens", 1000, cancellationToken);
        context.Output.Write(tokens, list =>
        {
            var table = Output.NewTable("ID", "EXPIRES", ">USES", "STATE", "NOTE~");
            foreach (var token in list)
            {
                table.AddRow(
                    token.Id.ToString(), token.ExpiresAt.ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture),
                    token.MaxUses == 0 ? $"{token.Uses}" : $"{token.Uses}/{token.MaxUses}", token.Revoked ? "revoked" : "usable", Words.Escape(token.Note));
            }

            context.Output.Table(table);
        });
        return ExitCodes.Success;
    }
}
