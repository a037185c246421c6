using System.Net.Security;
using Cairn.Contracts.Ids;
using Cairn.Contracts.Tunnels;

namespace Cairn.Node.Tests.Harness;

/// <summary>The server's end of a node's tunnel.</summary>
internal static class TestTunnels
{
    public static async Task ServeAsync(TestFleet fleet, SslStream connection)
    {
        var preface = new byte[TunnelWire.PrefaceBytes];
        await connection.ReadExactlyAsync(preface);
        var isKnown = TunnelWire.TryReadPreface(preface, out var node, out var secret)
            && node == TypedId.Parse<NodeId>(fleet.NodeId) && secret.SequenceEqual(fleet.Session);
        await connection.WriteAsync(new[] { isKnown ? TunnelWire.Welcome : TunnelWire.Refused });
        if (!isKnown)
            return;
        var mux = new TunnelMux(connection, 1_000);
        fleet.Tunnel = mux;
        await mux.RunAsync(CancellationToken.None);
        if (fleet.Tunnel == mux)
            fleet.Tunnel = null;
    }
}
