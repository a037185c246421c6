using System.CommandLine;
using Cairn.Cli.CommandLine;
using Cairn.Contracts.Api;

namespace Cairn.Cli.Endpoints;

internal sealed class EndpointCommand : CairnCommand
{
    private readonly Argument<string> _name = new("NAME") { Description = "Name or id." };
    private readonly Option<string[]> _host = new("--host")
    {
        Description = "Give it this DNS name of its own, in place of those it has. May be repeated.", HelpName = "NAME",
    };

    private readonly Option<bool> _noHosts = new("--no-hosts") { Description = "Take its DNS names away." };

    public EndpointCommand() : base("endpoint", "Show an endpoint: its replicas, where they are, what happened; or change its host names.",
        "cairn endpoint tiny\n  cairn endpoint tiny --host chat.example.com")
    {
        Arguments.Add(_name);
        Options.Add(_host);
        Options.Add(_noHosts);
    }

    protected override async Task<int> RunAsync(CommandContext context, CancellationToken cancellationToken)
    {
        var hosts = context.Get(_host) ?? [];
        if (hosts.Length > 0 && context.Get(_noHosts))
            throw new CliException(ExitCodes.Usage, "--host and --no-hosts are one or the other.");
        if (hosts.Length > 0 || context.Get(_noHosts))
            await context.Api.PostAsync<HostsRequest, EndpointView>(Path(context, "/hosts"), new HostsRequest(hosts), cancellationToken);
        var endpoint = await context.Api.GetAsync<EndpointView>(Path(context, ""), cancellationToken);
        context.Output.Write(endpoint, view => EndpointText.Print(context.Output, view, context.Api.Server));
        return ExitCodes.Success;
    }

    private string Path(CommandContext context, string below) => Query.Of($"endpoints/{Query.Segment(context.Get(_name)!)}{below}", ("project", context.Project));
}
