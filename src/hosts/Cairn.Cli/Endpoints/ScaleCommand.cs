using System.CommandLine;
using Cairn.Cli.CommandLine;
using Cairn.Contracts.Api;

namespace Cairn.Cli.Endpoints;

internal sealed class ScaleCommand : CairnCommand
{
    private readonly Argument<string> _name = new("NAME") { Description = "Name or id." };
    private readonly Argument<string> _bounds = new("REPLICAS") { Description = "A number, or bounds such as 0..4." };
    private readonly Option<double?> _downDelay = new("--scale-down-delay") { Description = "Seconds before fewer replicas are kept.", HelpName = "SECONDS" };
    private readonly Option<double?> _zeroDelay = new("--scale-to-zero-delay")
    {
        Description = "Seconds without a request before it sleeps.", HelpName = "SECONDS",
    };

    private readonly Option<decimal?> _spendCap = new("--spend-cap")
    {
        Description = "What all replicas together may cost, in dollars per hour.", HelpName = "USD",
    };

    public ScaleCommand() : base("scale", "Set how many replicas an endpoint may have; within the bounds its load decides.", "cairn scale tiny 1..8")
    {
        Arguments.Add(_name);
        Arguments.Add(_bounds);
        foreach (var option in new Option[] { _downDelay, _zeroDelay, _spendCap })
            Options.Add(option);
    }

    protected override async Task<int> RunAsync(CommandContext context, CancellationToken cancellationToken)
    {
        var parts = context.Get(_bounds)!.Split("..");
        if (parts.Length > 2 || !int.TryParse(parts[0], out var min) || !int.TryParse(parts[^1], out var max))
            throw new CliException(ExitCodes.Usage, $"REPLICAS is '{context.Get(_bounds)}'; expected a number such as 2, or bounds such as 0..4.");
        var request = new ScalingRequest
        {
            Min = min, Max = Math.Max(1, max), ScaleDownDelaySeconds = context.Get(_downDelay), ScaleToZeroDelaySeconds = context.Get(_zeroDelay),
            SpendCapUsdPerHour = context.Get(_spendCap),
        };
        var endpoint = await context.Api.PostAsync<ScalingRequest, EndpointView>(
            Query.Of($"endpoints/{Query.Segment(context.Get(_name)!)}/scale", ("project", context.Project)), request, cancellationToken);
        context.Output.Write(endpoint, view => context.Output.Line($"{view.Name} has {view.Min} to {view.Max} replicas"));
        return ExitCodes.Success;
    }
}
