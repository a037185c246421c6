using System.CommandLine;
using Cairn.Cli.CommandLine;
using Cairn.Contracts.Api;

namespace Cairn.Cli.Endpoints;

internal sealed class EndpointCommand : CairnCommand
{
    private readonly Argument<string> _name = new("NAME") { Description = "Name or id." };

    public EndpointCommand() : base("endpoint", "Show an endpoint: its replicas, where they are, what happened.", "cairn endpoint tiny") => Arguments.Add(_name);

    protected override async Task<int> RunAsync(CommandContext context, CancellationToken cancellationToken)
    {
        var endpoint = await context.Api.GetAsync<EndpointView>(Query.Of($"endpoints/{Query.Segment(context.Get(_name)!)}", ("project", context.Project)), cancellationToken);
        context.Output.Write(endpoint, view => EndpointText.Print(context.Output, view, context.Api.Server));
        return ExitCodes.Success;
    }
}
