using Cairn.Contracts.Ids;
using Cairn.Serving.Certificates.Acme;
using Cairn.State;

namespace Cairn.Serving.Endpoints;

internal sealed record HostRow
{
    /// <summary>In lower case.</summary>
    public string Host { get; init; } = "";

    public EndpointId EndpointId { get; init; }
}

/// <summary>The SQL of endpoints' own DNS names: each belongs to one endpoint, whatever the project.</summary>
internal static class HostRows
{
    public static IReadOnlyList<HostRow> All(ReadSession session) => session.Query<HostRow>("SELECT host, endpoint_id FROM endpoint_hosts ORDER BY host");

    public static IReadOnlyList<string> Of(ReadSession session, EndpointId endpoint) =>
        [.. session.Query<HostRow>("SELECT host, endpoint_id FROM endpoint_hosts WHERE endpoint_id = @endpoint ORDER BY host", new { endpoint }).Select(row => row.Host)];

    /// <summary>The first of these names that another endpoint has; null where they can be had.</summary>
    public static HostRow? Taken(ReadSession session, EndpointId endpoint, IReadOnlyList<string> hosts) => hosts.Count == 0 ? null : session.Query<HostRow>(
        "SELECT host, endpoint_id FROM endpoint_hosts WHERE host IN @hosts AND endpoint_id <> @endpoint ORDER BY host", new { hosts, endpoint }).FirstOrDefault();

    /// <summary>Gives an endpoint these names in place of those it had.</summary>
    public static void Replace(WriteSession session, EndpointId endpoint, IReadOnlyList<string> hosts)
    {
        session.Execute("DELETE FROM endpoint_hosts WHERE endpoint_id = @endpoint", new { endpoint });
        foreach (var host in hosts)
            session.Execute("INSERT INTO endpoint_hosts (host, endpoint_id) VALUES (@host, @endpoint)", new { host, endpoint });
        if (hosts.Count > 0)
            session.Signal(AcmeRenewal.Signal);
    }
}
