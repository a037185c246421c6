using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Cairn.Contracts.Identity;
using Cairn.Contracts.Ids;
using Cairn.Serving.Gateway.Snapshots;
using Microsoft.AspNetCore.Http;

namespace Cairn.Serving.Tests.Gateway;

public sealed class An_endpoint_has_its_own_name
{
    [Theory]
    [InlineData("""{"messages":[{"role":"user","content":"Hi"}]}""")]
    [InlineData("""{"model":"gpt-4o","messages":[{"role":"user","content":"Hi"}]}""")]
    [InlineData("""{"model":"tiny","messages":[{"role":"user","content":"Hi"}]}""")]
    public async Task There_a_model_need_not_be_named_and_any_name_means_it(string body)
    {
        await using var host = await GatewayHost.StartAsync();
        await using var replica = await FakeReplica.StartAsync();
        host.Hosts["chat.example.com"] = new HostRoute(host.Project, "tiny", "tiny");
        host.Serve("tiny", replica);

        using var answer = await SendAsync(host, "CHAT.example.com:443", HttpMethod.Post, "/v1/chat/completions", body);

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal("up", (string?)JsonNode.Parse(replica.Asked.Single().Body)!["model"]);
        Assert.Equal("tiny", (await host.BookedAsync()).Subject.Model);
    }

    [Theory]
    [InlineData("/v1/messages", """{"max_tokens":5,"messages":[{"role":"user","content":"Hi"}]}""")]
    [InlineData("/v1/responses", """{"input":"Hi"}""")]
    public async Task In_every_dialect(string path, string body)
    {
        await using var host = await GatewayHost.StartAsync();
        await using var replica = await FakeReplica.StartAsync();
        host.Hosts["chat.example.com"] = new HostRoute(host.Project, "tiny", "tiny");
        host.Serve("tiny", replica);
        using var answer = await SendAsync(host, "chat.example.com.", HttpMethod.Post, path, body);
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        Assert.Equal("tiny", (string?)(await GatewayHost.JsonOf(answer))["model"]);
    }

    [Fact]
    public async Task Only_its_model_is_listed_there_and_any_name_shows_it()
    {
        await using var host = await GatewayHost.StartAsync();
        await using var replica = await FakeReplica.StartAsync(context => context.Response.WriteAsync("{}"));
        host.Hosts["chat.example.com"] = new HostRoute(host.Project, "tiny", "tiny");
        host.Serve("tiny", replica);
        host.Serve("large", replica);

        using var list = await SendAsync(host, "chat.example.com", HttpMethod.Get, "/v1/models");
        Assert.Equal("tiny", (string?)Assert.Single((await GatewayHost.JsonOf(list))["data"]!.AsArray())!["id"]);
        using var shown = await SendAsync(host, "chat.example.com", HttpMethod.Get, "/v1/models/large");
        Assert.Equal("tiny", (string?)(await GatewayHost.JsonOf(shown))["id"]);
        using var ready = await SendAsync(host, "chat.example.com", HttpMethod.Get, "/v2/models/anything/ready");
        Assert.Equal((HttpStatusCode.OK, "/v2/models/up/ready"), (ready.StatusCode, replica.Asked.Single().Path));
        using var elsewhere = await SendAsync(host, "other.example.com", HttpMethod.Get, "/v1/models");
        Assert.Equal(2, (await GatewayHost.JsonOf(elsewhere))["data"]!.AsArray().Count);
    }

    [Fact]
    public async Task Every_other_path_reaches_a_replica_at_the_root()
    {
        await using var host = await GatewayHost.StartAsync();
        await using var replica = await FakeReplica.StartAsync(context => context.Response.WriteAsync("from the replica"));
        host.Hosts["web.example.com"] = new HostRoute(host.Project, "web", null);
        host.ServePath("web", replica);

        foreach (var path in new[] { "/", "/api/v1/jobs", "/v1/models", "/endpoints/other/", "/metrics" })
        {
            using var answer = await SendAsync(host, "web.example.com", HttpMethod.Get, path);
            Assert.Equal("from the replica", await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
            var asked = replica.Asked.Last();
            Assert.Equal(path, asked.Path);
            Assert.False(asked.Headers.ContainsKey("X-Forwarded-Prefix"));
            Assert.False(asked.Headers.ContainsKey("Authorization"));
        }
    }

    [Fact]
    public async Task A_key_of_another_project_gets_nothing_there_even_where_names_are_the_same()
    {
        await using var host = await GatewayHost.StartAsync();
        await using var replica = await FakeReplica.StartAsync();
        var other = ProjectId.New(DateTimeOffset.UnixEpoch);
        host.Hosts["chat.example.com"] = new HostRoute(other, "tiny", "tiny");
        host.Hosts["web.example.com"] = new HostRoute(other, "web", null);
        host.Serve("tiny", replica);
        host.ServePath("web", replica);

        using var chat = await SendAsync(host, "chat.example.com", HttpMethod.Post, "/v1/chat/completions", """{"messages":[]}""");
        using var model = await SendAsync(host, "chat.example.com", HttpMethod.Get, "/v1/models/tiny");
        using var ready = await SendAsync(host, "chat.example.com", HttpMethod.Get, "/v2/models/tiny/ready");
        using var web = await SendAsync(host, "web.example.com", HttpMethod.Get, "/");
        Assert.All(new[] { chat, model, ready, web }, answer => Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode));
        Assert.Empty(replica.Asked);
    }

    private static Task<HttpResponseMessage> SendAsync(GatewayHost host, string name, HttpMethod method, string path, string? body = null)
    {
        var request = new HttpRequestMessage(method, path) { Content = body is null ? null : new StringContent(body, Encoding.UTF8, "application/json") };
        request.Headers.Host = name;
        return host.Client.SendAsync(request, TestContext.Current.CancellationToken);
    }
}
