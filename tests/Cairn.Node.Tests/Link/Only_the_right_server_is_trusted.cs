using Cairn.Contracts.Wire;
using Cairn.Node.Link;
using Cairn.Node.Tests.Harness;
using Grpc.Core;
using Microsoft.Extensions.Logging.Abstractions;

namespace Cairn.Node.Tests.Link;

public sealed class Only_the_right_server_is_trusted
{
    [Fact]
    public async Task A_server_with_another_authority_than_the_token_says_is_refused_before_anything_secret_is_sent()
    {
        await using var fixture = await Fixture.StartAsync(daemon: false);
        using var other = new TestAuthority();
        JoinToken.TryDecode(fixture.Token, out var token);
        var daemon = new NodeDaemon(new NodeOptions { DataFolder = fixture.Data, JoinToken = (token! with { AuthoritySha256 = other.Sha256 }).Encode() },
            NullLoggerFactory.Instance);
        var refused = await Assert.ThrowsAsync<NodeRefusedException>(() => daemon.RunAsync(CancellationToken.None));
        Assert.Equal("authority_mismatch", refused.Code);
        Assert.Null(fixture.Fleet.Joined);
    }

    [Fact]
    public async Task A_certificate_for_another_host_is_refused()
    {
        using var fleet = new TestFleet();
        await using var server = await TestServer.StartAsync(fleet, host: "elsewhere.example");
        using var channel = NodeChannel.Open(server.Address, fleet.Authority.Certificate);
        await Assert.ThrowsAsync<RpcException>(async () => await new NodeLink.NodeLinkClient(channel).JoinAsync(new JoinRequest()));
        Assert.Null(fleet.Joined);
    }

    [Fact]
    public async Task A_daemon_that_is_pointed_at_a_certificate_for_another_host_says_so_and_ends()
    {
        using var fleet = new TestFleet();
        await using var server = await TestServer.StartAsync(fleet, host: "elsewhere.example");
        var folder = Directory.CreateTempSubdirectory("cairn-").FullName;
        var daemon = new NodeDaemon(new NodeOptions { DataFolder = folder, JoinToken = server.Token(fleet) }, NullLoggerFactory.Instance);
        var refused = await Assert.ThrowsAsync<NodeRefusedException>(() => daemon.RunAsync(CancellationToken.None));
        Assert.Equal("certificate", refused.Code);
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public async Task The_machine_is_measured_once_and_the_server_is_told()
    {
        await using var fixture = await Fixture.StartAsync(o => new NodeOptions { DataFolder = o.DataFolder, JoinToken = o.JoinToken });
        await Eventually.TrueAsync(() => fixture.Fleet.LastInventory?.Benchmark is { Fp32Flops: > 0 }, "the measurement");
        Assert.True(fixture.Fleet.LastInventory!.Cpus > 0);
        Assert.True(fixture.Fleet.LastInventory.MemoryBytes > 0);
        Assert.NotEmpty(fixture.Fleet.LastInventory.TaskUser);
    }

    [Fact]
    public async Task A_certificate_of_another_authority_is_refused_after_joining()
    {
        using var fleet = new TestFleet();
        using var other = new TestAuthority();
        await using var server = await TestServer.StartAsync(fleet);
        using var channel = NodeChannel.Open(server.Address, other.Certificate);
        await Assert.ThrowsAsync<RpcException>(async () => await new NodeLink.NodeLinkClient(channel).JoinAsync(new JoinRequest()));
    }

    [Fact]
    public async Task A_token_that_the_server_does_not_know_ends_the_daemon_with_its_words()
    {
        await using var fixture = await Fixture.StartAsync(daemon: false);
        JoinToken.TryDecode(fixture.Token, out var token);
        var daemon = new NodeDaemon(new NodeOptions { DataFolder = fixture.Data, JoinToken = (token! with { Secret = "wrong" }).Encode() },
            NullLoggerFactory.Instance);
        var refused = await Assert.ThrowsAsync<NodeRefusedException>(() => daemon.RunAsync(CancellationToken.None));
        Assert.Equal("join_refused", refused.Code);
        Assert.Contains("the token is not valid", refused.Message);
    }

    [Fact]
    public async Task A_node_that_has_joined_needs_no_token_and_keeps_its_key_to_itself()
    {
        await using var fixture = await Fixture.StartAsync();
        await fixture.StopDaemonAsync();
        await fixture.StartDaemonAsync(o => new NodeOptions { DataFolder = o.DataFolder, Benchmark = false, Simulate = "H100:8" });
        Assert.Equal((UnixFileMode)0x180, File.GetUnixFileMode(Path.Combine(fixture.Data, "node.key")));
        await Eventually.TrueAsync(() => fixture.Fleet.LastDeclaration is not null, "the changed declaration");
        Assert.True(fixture.Fleet.LastDeclaration!.Simulated);
        await Eventually.TrueAsync(() => fixture.Fleet.LastInventory!.Devices.Count == 8, "the simulated devices");
        Assert.All(fixture.Fleet.LastInventory!.Devices, device => Assert.True(device.Simulated));
    }

    [Fact]
    public async Task Everything_wrong_with_the_options_is_said_at_once()
    {
        var daemon = new NodeDaemon(new NodeOptions { DataFolder = " ", JoinToken = "x", Server = "y", HeartbeatSeconds = 0, Simulate = "NoSuchGpu:2" },
            NullLoggerFactory.Instance);
        var refused = await Assert.ThrowsAsync<NodeRefusedException>(() => daemon.RunAsync(CancellationToken.None));
        Assert.Equal(5, refused.Message.Split(Environment.NewLine).Length);
    }
}
