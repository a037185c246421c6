using System.CommandLine;
using Cairn.Cli.CommandLine;
using Cairn.Contracts.Api;

namespace Cairn.Cli.Nodes;

internal sealed class NodeTokenCommand : CairnCommand
{
    private readonly Option<double> _hours = new("--hours") { Description = "How long it can be used.", DefaultValueFactory = _ => 24 };
    private readonly Option<int> _uses = new("--uses") { Description = "How many nodes may join with it; 0 means any number.", DefaultValueFactory = _ => 1 };
    private readonly Option<string?> _note = new("--note") { Description = "What it is for, shown in the list.", HelpName = "TEXT" };

    public NodeTokenCommand() : base("token", "Make a join token. It is shown once; it holds the server's address and the hash of its certificate authority.", "cairn node token --uses 10 --hours 1")
    {
        Options.Add(_hours);
        Options.Add(_uses);
        Options.Add(_note);
    }

    protected override async Task<int> RunAsync(CommandContext context, CancellationToken cancellationToken)
    {
        var request = new CreateJoinTokenRequest { ValidSeconds = (long)(context.Get(_hours) * 3600), MaxUses = context.Get(_uses), Note = context.Get(_note) };
        var token = await context.Api.PostAsync<CreateJoinTokenRequest, JoinTokenView>("join-tokens", request, cancellationToken);
        context.Output.Write(token, view =>
        {
            context.Output.Line(view.Token!);
            context.Output.Note($"Valid until {view.ExpiresAt:yyyy-MM-dd HH:mm}Z. On the other machine: cairn node join TOKEN");
        });
        return ExitCodes.Success;
    }
}
