using System.Net;
using System.Text.Json.Nodes;
using Cairn.Contracts.Identity;
using Cairn.Contracts.Ids;
using Cairn.Serving.Gateway.Responses;
using Cairn.Serving.Gateway.Snapshots;
using Cairn.Serving.Responses;
using Cairn.Serving.Tests.Gateway;
using Cairn.State;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Time.Testing;
using static Cairn.Serving.Tests.Dialects.Anthropics_clients_talk_to_replicas;

namespace Cairn.Serving.Tests.Dialects;

public sealed class A_kept_response : IAsyncLifetime
{
    private readonly string _folder = Directory.CreateTempSubdirectory("cairn-responses-").FullName;
    private readonly FakeTimeProvider _time = new(DateTimeOffset.UnixEpoch.AddYears(50));
    private Store _store = null!;

    private ResponseRows Rows => new(_store, _time);

    public async ValueTask InitializeAsync() => _store = await OpenAsync();

    public async ValueTask DisposeAsync()
    {
        await _store.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Is_gone_on_from_and_come_back_to_after_a_restart(bool streams)
    {
        await using var replica = streams
            ? await FakeReplica.StartAsync(async context =>
            {
                await Streams.Chat(Streams.Delta("""{"content":"Hello."}"""), Streams.Delta("{}", "stop"))(context);
                await context.Response.WriteAsync(": nothing comes after the end, and somebody says so\n\n");
            })
            : await FakeReplica.StartAsync();
        await using var host = await GatewayHost.StartAsync(responses: new Moving(() => Rows));
        host.Serve("tiny", replica);
        var first = await MakeAsync(host, """{"model":"tiny","input":"Hi" """, streams);
        await _store.DisposeAsync();
        _store = await OpenAsync();
        var id = (string)first["id"]!;
        Assert.True((bool)first["store"]!);
        Assert.True(JsonNode.DeepEquals(first, await GatewayHost.JsonOf(await host.Client.GetAsync($"/v1/responses/{id}"))));

        var second = await MakeAsync(host, $$"""{"model":"tiny","input":[{"role":"user","content":"More"}],"previous_response_id":"{{id}}" """, streams);
        Assert.Equal(id, (string?)second["previous_response_id"]);
        Same("""[{"role":"user","content":"Hi"},{"role":"assistant","content":"Hello."},{"role":"user","content":"More"}]""",
            JsonNode.Parse(replica.Asked.Last().Body)!["messages"]!.ToJsonString());
        var items = await GatewayHost.JsonOf(await host.Client.GetAsync($"/v1/responses/{second["id"]}/input_items?limit=2&order=asc"));
        Assert.Equal(("list", true, 2), ((string)items["object"]!, (bool)items["has_more"]!, items["data"]!.AsArray().Count));
        var rest = await GatewayHost.JsonOf(await host.Client.GetAsync($"/v1/responses/{second["id"]}/input_items?order=asc&after={items["last_id"]}"));
        Assert.Equal(("More", false), ((string?)Assert.Single(rest["data"]!.AsArray())!["content"], (bool)rest["has_more"]!));

        Assert.Equal(HttpStatusCode.BadRequest, (await host.Client.PostAsync($"/v1/responses/{id}/cancel", null)).StatusCode);
        var deleted = await GatewayHost.JsonOf(await host.Client.DeleteAsync($"/v1/responses/{id}"));
        Assert.Equal((id, true), ((string)deleted["id"]!, (bool)deleted["deleted"]!));
        Assert.Equal(HttpStatusCode.NotFound, (await host.Client.GetAsync($"/v1/responses/{id}")).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await host.Client.DeleteAsync($"/v1/responses/{id}")).StatusCode);
    }

    [Fact]
    public async Task Is_seen_by_nobody_outside_its_project()
    {
        await using var replica = await FakeReplica.StartAsync();
        await using var host = await GatewayHost.StartAsync(responses: Rows);
        var other = ApiKey.New(_time.GetUtcNow());
        host.OtherKeys.Add(new GatewayKey { Id = other.Id, Name = "other", SecretHash = other.SecretHash(), Project = ProjectId.New(_time.GetUtcNow()) });
        host.Serve("tiny", replica);
        var made = await MakeAsync(host, """{"model":"tiny","input":"Hi" """, false);
        host.Client.DefaultRequestHeaders.Authorization = new("Bearer", other.ToString());
        Assert.Equal(HttpStatusCode.NotFound, (await host.Client.GetAsync($"/v1/responses/{made["id"]}")).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await host.Client.DeleteAsync($"/v1/responses/{made["id"]}")).StatusCode);
        host.Client.DefaultRequestHeaders.Authorization = null;
        Assert.Equal(HttpStatusCode.Unauthorized, (await host.Client.GetAsync($"/v1/responses/{made["id"]}")).StatusCode);
    }

    [Fact]
    public async Task Is_not_kept_where_its_client_says_so()
    {
        await using var replica = await FakeReplica.StartAsync();
        await using var host = await GatewayHost.StartAsync(responses: Rows);
        host.Serve("tiny", replica);
        var made = await MakeAsync(host, """{"model":"tiny","input":"Hi","store":false """, false);
        Assert.False((bool)made["store"]!);
        Assert.Equal(HttpStatusCode.NotFound, (await host.Client.GetAsync($"/v1/responses/{made["id"]}")).StatusCode);
    }

    [Fact]
    public async Task Is_never_called_complete_where_it_could_not_be_written()
    {
        await using var replica = await FakeReplica.StartAsync(context => context.Items["body"] is string body && body.Contains("\"stream\"", StringComparison.Ordinal)
            ? Streams.Chat(Streams.Delta("""{"content":"Hello."}"""), Streams.Delta("{}", "stop"))(context) : FakeReplica.Chat(context, "Hello.", 7, 2));
        await using var host = await GatewayHost.StartAsync(responses: Rows);
        host.Serve("tiny", replica);
        await _store.DisposeAsync();
        var whole = await host.PostAsync("/v1/responses", """{"model":"tiny","input":"Hi"}""");
        Assert.Equal((HttpStatusCode.InternalServerError, "not_stored"), (whole.StatusCode, (string?)(await GatewayHost.JsonOf(whole))["error"]!["code"]));
        var events = await Streams.EventsOf(await host.PostAsync("/v1/responses", """{"model":"tiny","input":"Hi","stream":true}"""));
        Assert.DoesNotContain(events, e => e.Name == "response.completed");
        Assert.Equal("response.failed", events[^1].Name);
    }

    [Fact]
    public async Task Cannot_be_read_while_its_rows_are_away_and_the_client_is_told_so()
    {
        await using var replica = await FakeReplica.StartAsync();
        await using var host = await GatewayHost.StartAsync(responses: Rows);
        host.Serve("tiny", replica);
        await _store.DisposeAsync();
        foreach (var answer in new[]
        {
            await host.Client.GetAsync("/v1/responses/resp_1"), await host.Client.DeleteAsync("/v1/responses/resp_1"),
            await host.PostAsync("/v1/responses", """{"model":"tiny","input":"Hi","previous_response_id":"resp_1"}"""),
        })
        {
            Assert.Equal((HttpStatusCode.ServiceUnavailable, "server_error"), (answer.StatusCode, (string?)(await GatewayHost.JsonOf(answer))["error"]!["type"]));
        }
        Assert.Empty(replica.Asked);
    }

    [Fact]
    public async Task Ends_after_30_days_or_when_its_project_has_too_many_newer_ones()
    {
        var (rows, project, none) = (Rows, ProjectId.New(_time.GetUtcNow()), TestContext.Current.CancellationToken);
        for (var i = 0; i < 5; i++)
        {
            var now = _time.GetUtcNow();
            Assert.True(await rows.KeepAsync(new KeptResponse($"resp_{i}", project, now, now.AddDays(30), "12345", "12345"), none));
            _time.Advance(TimeSpan.FromHours(1));
        }
        await rows.SweepAsync(4, 1000, none);
        Assert.Null(await rows.FindAsync(project, "resp_0", none));
        await rows.SweepAsync(4, 35, none);
        Assert.Null(await rows.FindAsync(project, "resp_1", none));
        Assert.NotNull(await rows.FindAsync(project, "resp_2", none));
        _time.Advance(TimeSpan.FromDays(30) - TimeSpan.FromHours(2));
        Assert.Null(await rows.FindAsync(project, "resp_2", none));
        await rows.SweepAsync(none);
        Assert.Equal(1, await _store.ReadAsync(s => s.Scalar<int>("SELECT COUNT(*) FROM responses"), none));
        Assert.NotNull(await rows.FindAsync(project, "resp_4", none));
    }

    private Task<Store> OpenAsync() =>
        Store.OpenAsync(new StoreOptions { Database = Path.Combine(_folder, "cairn.db") }, ServingMigrations.All, _time, TestContext.Current.CancellationToken);

    private static async Task<JsonNode> MakeAsync(GatewayHost host, string body, bool streams)
    {
        var response = await host.PostAsync("/v1/responses", body + (streams ? ""","stream":true}""" : "}"));
        return streams ? (await Streams.EventsOf(response))[^1].Data!["response"]! : await GatewayHost.JsonOf(response);
    }

    /// <summary>Rows of whatever store is open now: a gateway that outlives its server's store.</summary>
    private sealed class Moving(Func<ResponseRows> rows) : IKeepsResponses
    {
        public Task<bool> KeepAsync(KeptResponse response, CancellationToken cancellationToken) => rows().KeepAsync(response, cancellationToken);

        public Task<KeptResponse?> FindAsync(ProjectId project, string id, CancellationToken cancellationToken) => rows().FindAsync(project, id, cancellationToken);

        public Task<bool> ForgetAsync(ProjectId project, string id, CancellationToken cancellationToken) => rows().ForgetAsync(project, id, cancellationToken);
    }
}
