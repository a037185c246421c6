using Cairn.Cli.CommandLine;
using Cairn.Contracts.Api;

namespace Cairn.Cli.Endpoints;

internal sealed class EndpointsCommand() : CairnCommand("endpoints", "List endpoints: what is served, by how many replicas, and why.", "cairn endpoints")
{
    protected override async Task<int> RunAsync(CommandContext context, CancellationToken cancellationToken)
    {
        var page = await context.Api.GetAsync<Page<EndpointView>>(Query.Of("endpoints", ("project", context.Project)), cancellationToken);
        context.Output.Write(page.Items, list =>
        {
            if (list.Count == 0)
                context.Output.Note("No endpoints. `cairn serve FILE` or `cairn serve FOLDER` makes one.");
            else
                EndpointText.Print(context.Output, list);
        });
        return ExitCodes.Success;
    }
}
