using Cairn.Contracts.Ids;
using Cairn.Contracts.Jobs;
using Cairn.Contracts.Wire;
using Cairn.Fleet.Link;
using Cairn.Fleet.Nodes;
using Google.Protobuf;
using Grpc.Core;
using Microsoft.Extensions.Time.Testing;

namespace Cairn.Fleet.Tests.Link;

public sealed class A_machine_joins_with_a_token
{
    [Fact]
    public async Task It_becomes_a_node_and_is_one_after_a_restart()
    {
        await using var server = await LinkServer.StartAsync();
        var token = await server.TokenAsync(maxUses: 1);
        NodeId id;
        using (var channel = server.Connect())
        {
            using var node = await TestNode.JoinAsync(channel, token, "GPU Box #1");
            id = node.Id;
            Assert.Equal("gpu-box-1", node.Name);
        }
        Assert.Equal("lab", server.Get<FleetNodes>().Find(id)!.Facts.Pool);

        await server.RestartAsync();
        var kept = server.Get<FleetNodes>().Find(id)!;
        Assert.Equal("gpu-box-1", kept.Name);
        Assert.Equal(8, kept.Facts.Cpus);
        Assert.Equal(NodeHealth.Unhealthy, kept.Health);
    }

    [Fact]
    public async Task The_token_carries_the_hash_of_the_authority_that_the_server_shows()
    {
        await using var server = await LinkServer.StartAsync();
        Assert.True(JoinToken.TryDecode(await server.TokenAsync(), out var token));
        using var channel = server.Connect();
        var shown = await new NodeLink.NodeLinkClient(channel).GetAuthorityAsync(new GetAuthorityRequest());
        Assert.Equal(token.AuthoritySha256, Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(shown.Certificate.Span)));
    }

    [Fact]
    public async Task Another_authority_than_the_pinned_one_is_not_talked_to()
    {
        await using var server = await LinkServer.StartAsync();
        using var channel = server.Connect(new string('0', 64));
        var error = await Assert.ThrowsAsync<RpcException>(async () =>
            await new NodeLink.NodeLinkClient(channel).GetAuthorityAsync(new GetAuthorityRequest()));
        Assert.IsType<System.Security.Authentication.AuthenticationException>(error.GetBaseException().InnerException
            ?? error.GetBaseException());
    }

    [Fact]
    public async Task A_token_with_another_secret_an_unknown_id_or_no_sense_is_refused()
    {
        await using var server = await LinkServer.StartAsync();
        Assert.True(JoinToken.TryDecode(await server.TokenAsync(), out var good));
        using var channel = server.Connect();
        string[] wrong =
        [
            (good with { Secret = good.Secret[..^1] + (good.Secret[^1] == 'A' ? 'B' : 'A') }).Encode(),
            (good with { Id = JoinTokenId.New(DateTimeOffset.UtcNow).ToString() }).Encode(),
            (good with { Id = "no id" }).Encode(),
            "cairn1.nonsense",
            "",
        ];
        foreach (var text in wrong)
            await RefusedAsync(StatusCode.Unauthenticated, () => TestNode.JoinAsync(channel, text));
        Assert.Equal(0, server.Get<FleetNodes>().Count);
    }

    [Fact]
    public async Task An_expired_token_is_refused()
    {
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        await using var server = await LinkServer.StartAsync(time: time);
        var token = await server.TokenAsync(validSeconds: 60);
        using var channel = server.Connect();
        time.Advance(TimeSpan.FromSeconds(59));
        using var inTime = await TestNode.JoinAsync(channel, token);
        time.Advance(TimeSpan.FromSeconds(2));
        await RefusedAsync(StatusCode.Unauthenticated, () => TestNode.JoinAsync(channel, token));
    }

    [Fact]
    public async Task A_revoked_token_is_refused()
    {
        await using var server = await LinkServer.StartAsync();
        var token = await server.TokenAsync();
        Assert.True(JoinToken.TryDecode(token, out var decoded));
        Assert.True(await server.Get<JoinTokens>()
            .RevokeAsync(TypedId.Parse<JoinTokenId>(decoded.Id), TestContext.Current.CancellationToken));
        using var channel = server.Connect();
        await RefusedAsync(StatusCode.Unauthenticated, () => TestNode.JoinAsync(channel, token));
    }

    [Fact]
    public async Task Of_sixty_four_that_race_with_a_token_of_one_use_one_joins()
    {
        await using var server = await LinkServer.StartAsync();
        var token = await server.TokenAsync(maxUses: 1);
        using var channel = server.Connect();
        var outcomes = await Task.WhenAll(Enumerable.Range(0, 64).Select(async _ =>
        {
            try
            {
                using var node = await TestNode.JoinAsync(channel, token);
                return true;
            }
            catch (RpcException error) when (error.StatusCode == StatusCode.Unauthenticated)
            {
                return false;
            }
        }));
        Assert.Equal(1, outcomes.Count(joined => joined));
        Assert.Equal(1, server.Get<FleetNodes>().Count);
    }

    [Fact]
    public async Task A_lost_reply_is_asked_for_again_and_takes_no_second_use()
    {
        await using var server = await LinkServer.StartAsync();
        var token = await server.TokenAsync(maxUses: 1);
        using var channel = server.Connect();
        using var node = await TestNode.JoinAsync(channel, token);
        var again = await new NodeLink.NodeLinkClient(channel).JoinAsync(TestNode.Request(token, node.PublicKey));
        Assert.Equal((node.Id.ToString(), node.Name), (again.NodeId, again.Name));
        await RefusedAsync(StatusCode.Unauthenticated, () => TestNode.JoinAsync(channel, token));
    }

    [Fact]
    public async Task Nodes_that_wish_for_one_name_get_different_ones()
    {
        await using var server = await LinkServer.StartAsync();
        var token = await server.TokenAsync();
        using var channel = server.Connect();
        var nodes = await Task.WhenAll(Enumerable.Range(0, 30).Select(_ => TestNode.JoinAsync(channel, token, "sim")));
        Assert.Equal(30, nodes.Select(node => node.Name).Distinct().Count());
        Assert.Contains("sim", nodes.Select(node => node.Name));
        Assert.Contains("sim-2", nodes.Select(node => node.Name));
    }

    [Fact]
    public async Task A_removed_key_never_joins_again_but_its_name_is_free()
    {
        await using var server = await LinkServer.StartAsync();
        var token = await server.TokenAsync();
        using var channel = server.Connect();
        using var node = await TestNode.JoinAsync(channel, token, "gone");
        Assert.True(await server.Get<Enrolment>()
            .RemoveAsync(server.Get<FleetNodes>().Find(node.Id)!, TestContext.Current.CancellationToken));
        var client = new NodeLink.NodeLinkClient(channel);
        var error = await Assert.ThrowsAsync<RpcException>(async () => await client.JoinAsync(TestNode.Request(token, node.PublicKey)));
        Assert.Equal(StatusCode.PermissionDenied, error.StatusCode);
        using var other = await TestNode.JoinAsync(channel, token, "gone");
        Assert.Equal("gone", other.Name);
    }

    [Fact]
    public async Task A_faulty_declaration_is_refused_with_every_fault_and_takes_no_use()
    {
        await using var server = await LinkServer.StartAsync();
        var token = await server.TokenAsync(maxUses: 1);
        using var channel = server.Connect();
        var client = new NodeLink.NodeLinkClient(channel);
        var request = TestNode.Request(token, ByteString.CopyFrom(new byte[32]));
        request.Declaration.Country = "Germany";
        request.Declaration.Trust = "utter";
        request.Declaration.PriceMicrosPerHour = -1;
        request.Inventory.Cpus = 0;
        var error = await Assert.ThrowsAsync<RpcException>(async () => await client.JoinAsync(request));
        Assert.Equal(StatusCode.InvalidArgument, error.StatusCode);
        foreach (var word in new[] { "country", "trust", "community, verified, enterprise", "price_micros_per_hour", "cpus" })
            Assert.Contains(word, error.Status.Detail, StringComparison.Ordinal);
        request = TestNode.Request(token, ByteString.CopyFrom(new byte[31]));
        error = await Assert.ThrowsAsync<RpcException>(async () => await client.JoinAsync(request));
        Assert.Equal(StatusCode.InvalidArgument, error.StatusCode);
        using var node = await TestNode.JoinAsync(channel, token);
    }

    [Fact]
    public async Task A_token_names_the_port_that_is_open_and_the_rows_do_not_hold_it()
    {
        await using var server = await LinkServer.StartAsync();
        Assert.True(JoinToken.TryDecode(await server.TokenAsync(), out var token));
        Assert.Equal(server.Grpc.Authority, token.Server);
        var rows = await server.Store.ReadAsync(
            session => session.Query<JoinTokenRow>("SELECT * FROM join_tokens"), TestContext.Current.CancellationToken);
        Assert.Equal(JoinTokens.HashOf(token.Secret), Assert.Single(rows).SecretHash);
        Assert.NotEqual(token.Secret, rows[0].SecretHash);
    }

    private static async Task RefusedAsync(StatusCode status, Func<Task<TestNode>> join) =>
        Assert.Equal(status, (await Assert.ThrowsAsync<RpcException>(join)).StatusCode);
}
