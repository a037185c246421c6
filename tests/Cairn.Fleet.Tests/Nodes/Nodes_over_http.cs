using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Cairn.Contracts.Api;
using Cairn.Contracts.Ids;
using Cairn.Contracts.Jobs;
using Cairn.Fleet.Nodes;
using Cairn.Fleet.Tests.Link;
using Grpc.Net.Client;
using Microsoft.Extensions.Time.Testing;

namespace Cairn.Fleet.Tests.Nodes;

public sealed class Nodes_over_http : IAsyncLifetime
{
    private LinkServer _server = null!;
    private GrpcChannel _channel = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _server = await LinkServer.StartAsync();
        _channel = _server.Connect();
    }

    public async ValueTask DisposeAsync()
    {
        _channel.Dispose();
        await _server.DisposeAsync();
    }

    [Fact]
    public async Task They_are_listed_by_name_page_after_page()
    {
        var token = await _server.TokenAsync();
        foreach (var name in new[] { "delta", "alpha", "charlie", "bravo", "echo" })
            (await TestNode.JoinAsync(_channel, token, name)).Dispose();
        var names = new List<string>();
        string? cursor = null;
        do
        {
            var page = await GetAsync<Page<NodeView>>($"nodes?limit=2&pool=lab&cursor={cursor}");
            Assert.InRange(page.Items.Count, 1, 2);
            names.AddRange(page.Items.Select(node => node.Name));
            cursor = page.NextCursor;
        }
        while (cursor is not null);
        Assert.Equal(["alpha", "bravo", "charlie", "delta", "echo"], names);
        Assert.Empty((await GetAsync<Page<NodeView>>("nodes?pool=other")).Items);
        Assert.Empty((await GetAsync<Page<NodeView>>("nodes?health=lost")).Items);
        Assert.Equal(HttpStatusCode.BadRequest, (await _server.Http.GetAsync("nodes?limit=0", Token)).StatusCode);
    }

    [Fact]
    public async Task One_shows_what_is_free_and_what_runs_there()
    {
        using var node = await JoinAsync("alpha");
        _server.Work.Running[node.Id] = new NodeTaskView(TaskId.New(DateTimeOffset.UtcNow), JobId.New(DateTimeOffset.UtcNow), "train", 0,
            TaskState.Running);
        var view = await GetAsync<NodeView>("nodes/alpha");
        Assert.Equal((8, 6, "train"), (view.CpusTotal, view.CpusFree, Assert.Single(view.Detail!.Tasks!).JobName));
        Assert.Equal("host", view.Detail!.Hostname);
        Assert.Equal(view.Id, (await GetAsync<NodeView>($"nodes/{node.Id}")).Id);
        Assert.Equal(HttpStatusCode.NotFound, (await _server.Http.GetAsync("nodes/nobody", Token)).StatusCode);
    }

    [Fact]
    public async Task A_node_is_cordoned_drained_put_back_and_all_that_survives_a_restart()
    {
        using var node = await JoinAsync("alpha");
        await PostAsync("nodes/alpha/drain");
        Assert.Equal(NodePhase.Draining, _server.Get<FleetNodes>().Find(node.Id)!.Phase);
        await PostAsync("nodes/alpha/uncordon");
        Assert.Equal(NodePhase.Active, (await GetAsync<NodeView>("nodes/alpha")).Phase);
        await PostAsync("nodes/alpha/cordon");
        await _server.RestartAsync();
        Assert.Equal(NodePhase.Cordoned, (await GetAsync<NodeView>("nodes/alpha")).Phase);
    }

    [Fact]
    public async Task A_node_with_work_is_removed_only_by_force()
    {
        using var node = await JoinAsync("alpha");
        _server.Work.Running[node.Id] = new NodeTaskView(TaskId.New(DateTimeOffset.UtcNow), JobId.New(DateTimeOffset.UtcNow), "train", 0,
            TaskState.Running);
        var refused = await _server.Http.DeleteAsync("nodes/alpha", Token);
        Assert.Equal(HttpStatusCode.Conflict, refused.StatusCode);
        Assert.Equal("conflict", (await refused.Content.ReadFromJsonAsync<JsonElement>(Token)).GetProperty("code").GetString());
        Assert.Equal(HttpStatusCode.NoContent, (await _server.Http.DeleteAsync("nodes/alpha?force=true", Token)).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await _server.Http.GetAsync("nodes/alpha", Token)).StatusCode);
        await _server.RestartAsync();
        Assert.Empty((await GetAsync<Page<NodeView>>("nodes")).Items);
    }

    [Fact]
    public async Task Join_tokens_are_made_listed_without_their_text_and_revoked()
    {
        var made = await _server.Http.PostAsJsonAsync("join-tokens", new CreateJoinTokenRequest { MaxUses = 2, Note = "lab" },
            ApiJson.Compact, Token);
        Assert.Equal(HttpStatusCode.Created, made.StatusCode);
        var token = (await made.Content.ReadFromJsonAsync<JoinTokenView>(ApiJson.Compact, Token))!;
        (await TestNode.JoinAsync(_channel, token.Token!)).Dispose();
        var listed = Assert.Single((await GetAsync<Page<JoinTokenView>>("join-tokens")).Items);
        Assert.Equal((token.Id, null, 1, 2, "lab", false),
            (listed.Id, listed.Token, listed.Uses, listed.MaxUses, listed.Note, listed.Revoked));
        Assert.Equal(HttpStatusCode.NoContent, (await _server.Http.DeleteAsync($"join-tokens/{token.Id}", Token)).StatusCode);
        Assert.True(Assert.Single((await GetAsync<Page<JoinTokenView>>("join-tokens")).Items).Revoked);
        Assert.Equal(HttpStatusCode.NotFound, (await _server.Http.DeleteAsync($"join-tokens/{Guid.Empty}", Token)).StatusCode);
        var tooLong = await _server.Http.PostAsJsonAsync("join-tokens", new CreateJoinTokenRequest { ValidSeconds = 91 * 86_400 },
            ApiJson.Compact, Token);
        Assert.Equal(HttpStatusCode.BadRequest, tooLong.StatusCode);
    }

    [Fact]
    public async Task When_a_node_was_last_heard_is_written_once_a_minute_at_most()
    {
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        await using var server = await LinkServer.StartAsync(time: time);
        using var channel = server.Connect();
        using var node = await TestNode.JoinAsync(channel, await server.TokenAsync());
        await using var stream = new TestStream(channel);
        await stream.AttachAsync(node, bootEpoch: 9);
        var sightings = server.Get<Sightings>();
        var writes = 0;
        DateTimeOffset? written = null;
        for (var second = 0; second < 180; second++)
        {
            server.Get<FleetNodes>().Find(node.Id)!.Hear(time.GetTimestamp());
            await sightings.WriteNextTurnAsync(Token);
            var row = await server.Store.ReadAsync(session => NodeRows.ById(session, node.Id), Token);
            writes += row!.LastSeenAt != written ? 1 : 0;
            written = row.LastSeenAt;
            time.Advance(TimeSpan.FromSeconds(1));
        }
        Assert.InRange(writes, 2, 6);
        await stream.DisposeAsync();
        await server.RestartAsync();
        Assert.Equal(9, server.Get<FleetNodes>().Find(node.Id)!.BootEpoch);
    }

    private async Task<TestNode> JoinAsync(string name) => await TestNode.JoinAsync(_channel, await _server.TokenAsync(), name);

    private async Task<T> GetAsync<T>(string path) => (await _server.Http.GetFromJsonAsync<T>(path, ApiJson.Compact, Token))!;

    private async Task PostAsync(string path) => (await _server.Http.PostAsync(path, null, Token)).EnsureSuccessStatusCode();
}
