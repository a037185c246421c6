using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Cairn.EndToEnd.Tests.Harness;

namespace Cairn.EndToEnd.Tests;

public sealed class Host_names_of_endpoints
{
    [Fact]
    public async Task A_name_belongs_to_one_endpoint_until_that_one_ends_or_gives_it_away()
    {
        await using var host = await ServerInProcess.StartAsync("cairn.example.com");
        Assert.Equal(["chat.example.com", "llm.example.com"], HostsOf(await ServeAsync(host, "one", 201, "LLM.example.com.", "chat.example.com")));
        Assert.Contains("belongs to another", (await ServeAsync(host, "two", 409, "chat.example.com")).GetProperty("detail").GetString(), StringComparison.Ordinal);
        await ServeAsync(host, "two", 201);
        Assert.Contains("belongs to another", (await PostAsync(host, "two/hosts", new { hosts = new[] { "new.example.com", "chat.example.com" } }, 409)).GetProperty("detail").GetString(),
            StringComparison.Ordinal);
        Assert.Empty(HostsOf(await host.Client.GetFromJsonAsync<JsonElement>("/api/v1/endpoints/two", TestContext.Current.CancellationToken)));

        Assert.Equal(["llm.example.com"], HostsOf(await PostAsync(host, "one/hosts", new { hosts = new[] { "llm.example.com" } }, 200)));
        Assert.Equal(["chat.example.com"], HostsOf(await PostAsync(host, "two/hosts", new { hosts = new[] { "chat.example.com" } }, 200)));
        await PostAsync(host, "one/stop", new { }, 202);
        await Eventually.TrueAsync(async () =>
        {
            using var taken = await host.Client.PostAsJsonAsync("/api/v1/endpoints/two/hosts", new { hosts = new[] { "llm.example.com" } }, TestContext.Current.CancellationToken);
            return taken.IsSuccessStatusCode;
        }, "a stopped endpoint's names are free");
    }

    [Fact]
    public async Task A_rollout_that_says_nothing_of_names_leaves_them_and_one_that_does_replaces_them()
    {
        await using var host = await ServerInProcess.StartAsync();
        await ServeAsync(host, "one", 201, "a.example.com");
        Assert.Equal(["a.example.com"], HostsOf(await PostAsync(host, "one/rollout", new { workload = Workload("one") }, 200)));
        Assert.Equal(["b.example.com"], HostsOf(await PostAsync(host, "one/rollout", new { workload = Workload("one", "b.example.com") }, 200)));
    }

    [Theory]
    [InlineData("cairn.example.com", "is the server's own")]
    [InlineData("localhost", "is not valid")]
    [InlineData("*.example.com", "is not valid")]
    public async Task A_name_that_cannot_be_had_is_refused(string name, string why)
    {
        await using var host = await ServerInProcess.StartAsync("cairn.example.com");
        var refused = await PostAsync(host, "", new { workload = Workload("one"), hosts = new[] { name } }, 400);
        Assert.Contains(why, refused.GetProperty("errors")[0].GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_request_for_the_name_reaches_the_endpoint_and_nothing_else_of_the_server()
    {
        await using var host = await ServerInProcess.StartAsync();
        await ServeAsync(host, "one", 201, "chat.example.com");
        await Eventually.TrueAsync(async () => await AskAsync(host, "/v1/models/gpt-4") is { Status: HttpStatusCode.OK, Body: var model }
            && JsonDocument.Parse(model).RootElement.GetProperty("id").GetString() == "tiny", "the gateway knows the name");
        // It waits for a replica, and no node is there.
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => AskAsync(host, "/api/v1/whoami", patience: TimeSpan.FromSeconds(5)));
        foreach (var path in new[] { "/openapi/v1.json", "/metrics", "/healthz" })
            Assert.Equal(HttpStatusCode.Unauthorized, (await AskAsync(host, path, withKey: false)).Status);
    }

    private static async Task<(HttpStatusCode Status, string Body)> AskAsync(ServerInProcess host, string path, bool withKey = true, TimeSpan? patience = null)
    {
        using var client = new HttpClient { BaseAddress = host.Client.BaseAddress, Timeout = patience ?? TimeSpan.FromMinutes(4) };
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        request.Headers.Host = "chat.example.com";
        request.Headers.Authorization = withKey ? host.Client.DefaultRequestHeaders.Authorization : null;
        using var answer = await client.SendAsync(request, TestContext.Current.CancellationToken);
        return (answer.StatusCode, await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
    }

    private static Task<JsonElement> ServeAsync(ServerInProcess host, string name, int status, params string[] hosts) =>
        PostAsync(host, "", new { workload = Workload(name, hosts) }, status);

    private static async Task<JsonElement> PostAsync(ServerInProcess host, string path, object body, int status)
    {
        using var answer = await host.Client.PostAsJsonAsync($"/api/v1/endpoints{(path.Length == 0 ? "" : "/")}{path}", body, TestContext.Current.CancellationToken);
        var text = await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        Assert.True(status == (int)answer.StatusCode, text);
        return JsonDocument.Parse(text).RootElement;
    }

    private static string Workload(string name, params string[] hosts) =>
        $$"""{name: {{name}}, service: {port: 8000, model: {{(name == "one" ? "tiny" : name)}}, hosts: [{{string.Join(", ", hosts.Select(h => $"\"{h}\""))}}]}, run: "sleep 1000"}""";

    private static string[] HostsOf(JsonElement endpoint) => [.. endpoint.GetProperty("hosts").EnumerateArray().Select(h => h.GetString()!)];
}
