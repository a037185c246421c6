using Cairn.Cli.CommandLine;
using Cairn.Contracts.Api;

namespace Cairn.Cli.Endpoints;

/// <summary>Waits for an endpoint and tells what happens meanwhile.</summary>
internal static class EndpointWait
{
    private static readonly TimeSpan s_look = TimeSpan.FromMilliseconds(250);

    /// <summary>Until it answers, or has failed to start three times. Ctrl-C leaves it starting.</summary>
    public static async Task<EndpointView> UntilReadyAsync(CommandContext context, EndpointView endpoint, CancellationToken cancellationToken)
    {
        var told = DateTimeOffset.MinValue;
        while (true)
        {
            var now = await context.Api.GetAsync<EndpointView>(Query.Of($"endpoints/{endpoint.Id}", ("project", context.Project)), cancellationToken);
            foreach (var happened in (now.Events ?? []).Where(e => e.At > told).Reverse())
            {
                context.Output.Note($"{happened.Kind}: {happened.Message}");
                told = happened.At;
            }
            if (now.Phase is "ready" or "asleep" or "rolling_out" or "stopped" || (now.Phase == "failing" && (now.Events ?? []).Count(e => e.Kind is "replica_failed" or "replica_refused") >= 3))
                return now;
            await Task.Delay(s_look, cancellationToken);
        }
    }
}
