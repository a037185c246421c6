using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using Cairn.Contracts.Identity;
using Cairn.Contracts.Ids;
using Cairn.Serving.Batches;
using Cairn.Serving.Files;
using Cairn.Serving.Gateway.Calls;
using Cairn.Serving.Tests.Gateway;
using Cairn.State;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Logging.Abstractions;

namespace Cairn.Serving.Tests.Batches;

/// <summary>Files and batches over a real store, real blobs and a gateway on loopback; turns are taken by the test.</summary>
internal sealed class BatchHost : IAsyncDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("cairn-batches-").FullName;
    private readonly FilesOptions _files = new();
    private readonly BatchOptions _batches = new();
    private BatchReconciler _reconciler = null!;

    public GatewayHost Gateway { get; private set; } = null!;

    public Store Store { get; private set; } = null!;

    public FileShelf Shelf { get; private set; } = null!;

    public ShiftedTime Time { get; } = new();

    public HttpClient Client => Gateway.Client;

    public string Blobs => Path.Combine(_folder, "blobs");

    public static async Task<BatchHost> StartAsync(Action<FilesOptions, BatchOptions>? change = null)
    {
        var host = new BatchHost();
        change?.Invoke(host._files, host._batches);
        Assert.Empty(host._files.Validate().Concat(host._batches.Validate()));
        await host.BeginAsync(null, null);
        return host;
    }

    /// <summary>As after kill -9: what was in memory is gone, and what was under way got no further.</summary>
    /// <param name="knowsKeys">Whether its gateway has a snapshot yet.</param>
    public async Task DieAndStartAsync(bool knowsKeys = true)
    {
        var (key, project) = (Gateway.Key, Gateway.Project);
        await EndAsync();
        await BeginAsync(key, project, knowsKeys);
    }

    public async Task<JsonNode> UploadAsync(string content, string purpose = "batch", string name = "in.jsonl", params (string, string)[] more)
    {
        var response = await SendFileAsync(Encoding.UTF8.GetBytes(content), purpose, name, more);
        Assert.True(response.IsSuccessStatusCode, await response.Content.ReadAsStringAsync());
        return await GatewayHost.JsonOf(response);
    }

    public Task<HttpResponseMessage> SendFileAsync(byte[] content, string? purpose, string name, params (string Name, string Value)[] more)
    {
        var form = new MultipartFormDataContent();
        if (purpose is not null)
            form.Add(new StringContent(purpose), "purpose");
        foreach (var (field, value) in more)
            form.Add(new StringContent(value), field);
        form.Add(new ByteArrayContent(content) { Headers = { ContentType = new MediaTypeHeaderValue("application/octet-stream") } }, "file", name);
        return Client.PostAsync("/v1/files", form);
    }

    public async Task<string> MakeAsync(string input, string endpoint = "/v1/chat/completions", string more = "")
    {
        var file = (string)(await UploadAsync(input))["id"]!;
        var made = await Gateway.PostAsync("/v1/batches", $$"""{"input_file_id":"{{file}}","endpoint":"{{endpoint}}","completion_window":"24h"{{more}}}""");
        Assert.True(made.IsSuccessStatusCode, await made.Content.ReadAsStringAsync());
        return (string)(await GatewayHost.JsonOf(made))["id"]!;
    }

    public async Task<JsonNode> ShowAsync(string batch) => await GatewayHost.JsonOf(await Client.GetAsync($"/v1/batches/{batch}"));

    public Task TurnAsync() => _reconciler.ReconcileAsync(null, TestContext.Current.CancellationToken);

    public Task SweepAsync() => _reconciler.SweepAsync(TestContext.Current.CancellationToken);

    /// <summary>Takes turns until something holds of the batch.</summary>
    public async Task<JsonNode> UntilAsync(string batch, Func<JsonNode, bool> holds)
    {
        for (var began = TimeProvider.System.GetTimestamp(); ;)
        {
            await TurnAsync();
            if (await ShowAsync(batch) is var seen && holds(seen))
                return seen;
            Assert.True(TimeProvider.System.GetElapsedTime(began) < TimeSpan.FromMinutes(3), $"Waited in vain; it is {seen}");
            await Task.Delay(5, TestContext.Current.CancellationToken);
        }
    }

    public Task<JsonNode> UntilAsync(string batch, string status) => UntilAsync(batch, b => (string?)b["status"] == status);

    public async Task<List<JsonNode>> LinesOfAsync(JsonNode? file)
    {
        if (file is null)
            return [];
        var text = await Client.GetStringAsync($"/v1/files/{file}/content");
        return [.. text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonNode.Parse(line)!)];
    }

    public static string Line(string id, string model = "tiny", string text = "Hi", string more = "", string url = "/v1/chat/completions") =>
        $$"""{"custom_id":"{{id}}","method":"POST","url":"{{url}}","body":{"model":"{{model}}","messages":[{"role":"user","content":"{{text}}"}]{{more}} } }""" + "\n";

    public static string Lines(int count) => string.Concat(Enumerable.Range(1, count).Select(i => Line($"r{i}", text: $"n{i}")));

    public async ValueTask DisposeAsync()
    {
        await EndAsync();
        Directory.Delete(_folder, recursive: true);
    }

    private async Task EndAsync()
    {
        await _reconciler.DisposeAsync();
        await Gateway.DisposeAsync();
        await Store.DisposeAsync();
    }

    private async Task BeginAsync(ApiKey? key, ProjectId? project, bool knowsKeys = true)
    {
        Store = await Store.OpenAsync(new StoreOptions { Database = Path.Combine(_folder, "cairn.db") }, ServingMigrations.All, TimeProvider.System, TestContext.Current.CancellationToken);
        Shelf = new FileShelf(Store, new FolderBlobs(Blobs, TimeProvider.System), _files, Time);
        Gateway = await GatewayHost.StartAsync(key: key, map: (routes, gateway) =>
        {
            new FileEndpoints(Shelf, gateway).Map(routes);
            new BatchEndpoints(Store, Shelf, gateway, _batches).Map(routes);
        });
        Gateway.Project = project ?? Gateway.Project;
        if (knowsKeys)
            Gateway.Push();
        var pacer = new BatchPacer(Gateway.State, Gateway.Gateway.Activities, _batches, TimeProvider.System);
        var lines = new BatchLines(new InnerCalls(Gateway.Gateway), pacer, _batches, Time);
        var steps = new BatchSteps(Store, Shelf, new BatchFiles(Store, Shelf, _batches), lines, Gateway.State, _batches, Time);
        _reconciler = new BatchReconciler(Store, steps, _batches, Time, NullLogger<BatchReconciler>.Instance);
    }

    /// <summary>The system's time, moved ahead by the test; timers run as they do.</summary>
    internal sealed class ShiftedTime : TimeProvider
    {
        public TimeSpan Ahead { get; set; }

        public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + Ahead;
    }
}
