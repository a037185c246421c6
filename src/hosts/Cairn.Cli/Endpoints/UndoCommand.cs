using System.CommandLine;
using Cairn.Cli.CommandLine;
using Cairn.Contracts.Api;

namespace Cairn.Cli.Endpoints;

internal sealed class UndoCommand : CairnCommand
{
    private readonly Argument<string> _name = new("NAME") { Description = "Name or id of the endpoint." };

    public UndoCommand() : base("undo", "Take an endpoint's canary back, or go back to the revision before.", "cairn undo tiny") => Arguments.Add(_name);

    protected override async Task<int> RunAsync(CommandContext context, CancellationToken cancellationToken)
    {
        var endpoint = await context.Api.PostAsync<object, EndpointView>(
            Query.Of($"endpoints/{Query.Segment(context.Get(_name)!)}/undo", ("project", context.Project)), new { }, cancellationToken);
        context.Output.Write(endpoint, view => context.Output.Line($"{view.Name}: revision {view.Revision}"));
        return ExitCodes.Success;
    }
}
