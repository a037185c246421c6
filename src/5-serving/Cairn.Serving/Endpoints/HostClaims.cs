using Cairn.Contracts.Ids;
using Cairn.Contracts.Problems;
using Cairn.Contracts.Workloads;
using Cairn.Serving.Gateway;
using Cairn.State;

namespace Cairn.Serving.Endpoints;

/// <summary>Says who may have which DNS name: the first endpoint that asks, and nobody one that is the server's own.</summary>
internal sealed class HostClaims(GatewayOptions options)
{
    private const int MostHosts = 100;

    /// <summary>Names as they are kept, or what is wrong with them; asks no rows.</summary>
    public (IReadOnlyList<string> Hosts, IReadOnlyList<string> Errors) Read(IEnumerable<string> wished)
    {
        var (hosts, errors) = (new SortedSet<string>(StringComparer.Ordinal), new List<string>());
        foreach (var text in wished)
        {
            if (!HostName.TryParse(text, out var host))
                errors.Add($"The host name '{text}' is not valid; expected {HostName.Expected}.");
            else if (options.OwnHosts.Contains(host, StringComparer.OrdinalIgnoreCase))
                errors.Add($"The host name '{host}' is the server's own; give the endpoint another one.");
            else
                hosts.Add(host);
        }
        if (hosts.Count > MostHosts)
            errors.Add($"{hosts.Count} host names are more than an endpoint's {MostHosts}.");
        return ([.. hosts], errors);
    }

    /// <summary>Gives an endpoint these names in place of those it had.</summary>
    /// <returns>Null once they are its own; else who has one already, and nothing changed.</returns>
    public static EndpointOutcome? Take(WriteSession session, EndpointId endpoint, IReadOnlyList<string> hosts)
    {
        if (Taken(session, endpoint, hosts) is { } refused)
            return refused;
        HostRows.Replace(session, endpoint, hosts);
        return null;
    }

    /// <summary>Null where an endpoint may have all of these names.</summary>
    public static EndpointOutcome? Taken(ReadSession session, EndpointId endpoint, IReadOnlyList<string> hosts) => HostRows.Taken(session, endpoint, hosts) is { } taken
        ? EndpointOutcome.Refused(ProblemCodes.Conflict,
            $"The host name '{taken.Host}' belongs to another endpoint of this server. Take it from there first (`cairn endpoint NAME --no-hosts`), or use another.")
        : null;
}
