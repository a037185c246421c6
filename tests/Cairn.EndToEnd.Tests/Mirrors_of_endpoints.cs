using System.Net.Http.Json;
using System.Text.Json;
using Cairn.EndToEnd.Tests.Harness;
using Cairn.Frameworks.Onnx.Decoders;

namespace Cairn.EndToEnd.Tests;

public sealed class Mirrors_of_endpoints
{
    [Fact]
    public async Task An_endpoint_cannot_mirror_to_itself()
    {
        await using var host = await ServerInProcess.StartAsync();
        Assert.Contains("the endpoint itself", await PostAsync(host, "", Workload("one", "one"), 400), StringComparison.Ordinal);
        await PostAsync(host, "", Workload("one", "later"), 201);
        Assert.Contains("the endpoint itself", await PostAsync(host, "/one/rollout", Workload("other", "one"), 400), StringComparison.Ordinal);
        await PostAsync(host, "/one/rollout", Workload("other", "two"), 200);
    }

    [Fact]
    [Trait("speed", "slow")]
    public async Task Requests_to_a_model_are_copied_to_a_second_engine_and_answered_without_it()
    {
        await using var up = await CairnUp.StartAsync();
        var folder = Path.Combine(up.Folder, "tiny");
        DecoderFolder.Write(folder, DecoderShape.Tiny, weights: RandomWeights.Seeded(7));
        (await up.Cli.RunAsync("serve", folder, "--name", "next", "--model", "next-model")).Succeeded();
        (await up.Cli.RunAsync("serve", Live(folder))).Succeeded();
        using var client = up.NewClient();
        client.BaseAddress = new Uri(up.Address);
        await AskAsync(client);
        await Eventually.TrueAsync(async () => (await RequestsOfAsync(up, "next")) == 1, "the mirror had a copy");
        // A request is counted when it has ended, which is after its client has the answer.
        await Eventually.TrueAsync(async () => (await RequestsOfAsync(up, "live")) == 1, "the endpoint itself had the request once");
        var shown = (await up.Cli.RunAsync("endpoint", "next")).Succeeded();
        Assert.Contains("FIRST BYTE P90", shown.Out, StringComparison.Ordinal);

        var ended = Array.Empty<string>();
        await Eventually.TrueAsync(async () => (ended = await EndedAsync(client)).Length > 0, "the copy's end is in the metrics");
        Assert.Contains("outcome=\"answered\"", Assert.Single(ended), StringComparison.Ordinal);

        (await up.Cli.RunAsync("stop", "next")).Succeeded();
        await Eventually.TrueAsync(async () => (await up.GetAsync("endpoints")).GetProperty("items").GetArrayLength() == 1, "the mirror has ended");
        await AskAsync(client);
    }

    private static async Task AskAsync(HttpClient client)
    {
        using var answer = await client.PostAsJsonAsync("/v1/completions", new { model = "live-model", prompt = "Hello", max_tokens = 4 }, TestContext.Current.CancellationToken);
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
    }

    private static async Task<string[]> EndedAsync(HttpClient client)
    {
        var metrics = await client.GetStringAsync("/metrics", TestContext.Current.CancellationToken);
        return [.. metrics.Split('\n').Where(line => line.StartsWith("cairn_gateway_mirror_ended_total{", StringComparison.Ordinal))];
    }

    private static async Task<long> RequestsOfAsync(CairnUp up, string endpoint) =>
        (await up.GetAsync("endpoints/" + endpoint)).GetProperty("revisions").EnumerateArray().Sum(r => r.GetProperty("requests").GetInt64());

    private static async Task<string> PostAsync(ServerInProcess host, string path, string workload, int status)
    {
        using var answer = await host.Client.PostAsJsonAsync($"/api/v1/endpoints{path}", new { workload }, TestContext.Current.CancellationToken);
        var text = await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        Assert.True(status == (int)answer.StatusCode, text);
        return text;
    }

    private static string Workload(string name, string mirror) =>
        $$"""{name: {{name}}, service: {port: 8000, model: tiny, mirror: {endpoint: {{mirror}}, percent: 10} }, run: "sleep 1000"}""";

    /// <summary>Writes the workload beside its model.</summary>
    private static string Live(string folder)
    {
        var path = Path.Combine(folder, "live.yaml");
        File.WriteAllText(path, """
            name: live
            workdir: .
            service:
              port: 8000
              readiness: /health
              model: live-model
              mirror: {endpoint: next, percent: 100}
            run: exec "$CAIRN_PROGRAM" engine . --name live-model --port "$PORT" --grpc-port -1
            """);
        return path;
    }
}
