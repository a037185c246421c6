using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Cairn.Contracts.Api;
using Cairn.Contracts.Identity;
using Cairn.Contracts.Ids;
using Cairn.Contracts.Jobs;
using Cairn.Fleet.Leasing;
using Cairn.Fleet.Nodes;
using Cairn.State;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Cairn.Fleet.Tests.Jobs;

public sealed class Jobs_over_http
{
    private const string Echo = "name: echo\nrun: echo hello\n";

    [Fact]
    public async Task Are_submitted_listed_followed_stopped_and_waited_for()
    {
        await using var host = await Host.StartAsync();
        var http = host.Http;

        var none = await http.PostAsJsonAsync("/api/v1/jobs", new { workload = Echo });
        Assert.Equal(HttpStatusCode.UnprocessableEntity, none.StatusCode);
        Assert.Equal("no_place", (await Body(none)).GetProperty("code").GetString());

        host.Enrol("one");
        var malformed = await http.PostAsJsonAsync("/api/v1/jobs", new { workload = "name: x\nnods: 3\n" });
        var problem = await Body(malformed);
        Assert.Equal(HttpStatusCode.BadRequest, malformed.StatusCode);
        Assert.Equal("invalid_workload", problem.GetProperty("code").GetString());
        Assert.Contains("workload.yaml:2:1", problem.GetProperty("errors")[0].GetString());

        using var first = new HttpRequestMessage(HttpMethod.Post, "/api/v1/jobs") { Content = JsonContent.Create(new { workload = Echo }) };
        first.Headers.Add("Idempotency-Key", "once");
        var created = await http.SendAsync(first);
        Assert.Equal(HttpStatusCode.Created, created.StatusCode);
        using var second = new HttpRequestMessage(HttpMethod.Post,
            "/api/v1/jobs") { Content = JsonContent.Create(new { workload = Echo }) };
        second.Headers.Add("Idempotency-Key", "once");
        var repeated = await Body(await http.SendAsync(second));
        Assert.Equal((await Body(created)).GetProperty("id").GetGuid(), repeated.GetProperty("id").GetGuid());

        foreach (var name in (string[])["aa", "ab", "b"])
            Assert.Equal(HttpStatusCode.Created, (await http.PostAsJsonAsync("/api/v1/jobs", new { workload = Echo, name })).StatusCode);
        var taken = await http.PostAsJsonAsync("/api/v1/jobs", new { workload = Echo, name = "aa" });
        Assert.Equal(HttpStatusCode.Conflict, taken.StatusCode);
        Assert.Equal(["ab", "aa"], (await Page(http, "?name=a")).Items.Select(j => j.Name));
        var page = await Page(http, "?limit=3&phase=live");
        Assert.Equal(["b", "ab", "aa"], page.Items.Select(j => j.Name));
        Assert.Equal(["echo"], (await Page(http, $"?limit=3&cursor={page.NextCursor}")).Items.Select(j => j.Name));
        Assert.Equal(HttpStatusCode.BadRequest, (await http.GetAsync("/api/v1/jobs?phase=asleep")).StatusCode);

        var one = await Body(await http.GetAsync("/api/v1/jobs/echo"));
        Assert.Equal("queued", one.GetProperty("phase").GetString());
        Assert.Equal("echo hello", one.GetProperty("workload").GetProperty("run").GetString()!.Trim());
        Assert.Equal(HttpStatusCode.NotFound, (await http.GetAsync("/api/v1/jobs/nobody")).StatusCode);

        var events = http.GetStringAsync("/api/v1/jobs/echo/events");
        var wait = http.GetFromJsonAsync<JsonElement>("/api/v1/jobs/echo/wait?timeout=30");
        var stop = await http.PostAsJsonAsync("/api/v1/jobs/echo/stop", new { grace_seconds = 5 });
        Assert.Equal(HttpStatusCode.Accepted, stop.StatusCode);
        Assert.Equal("stopped", (await wait.WaitAsync(TimeSpan.FromMinutes(2))).GetProperty("phase").GetString());
        var stream = await events.WaitAsync(TimeSpan.FromMinutes(2));
        Assert.Contains("event: queued", stream);
        Assert.Contains("event: ended", stream);
        using var resume = new HttpRequestMessage(HttpMethod.Get, "/api/v1/jobs/echo/events");
        resume.Headers.Add("Last-Event-ID", "1");
        Assert.DoesNotContain("event: queued", await (await http.SendAsync(resume)).Content.ReadAsStringAsync());
        Assert.Equal(HttpStatusCode.NotFound, (await http.GetAsync("/api/v1/jobs/echo/outputs/model")).StatusCode);
        Assert.Equal("[]", await http.GetStringAsync("/api/v1/jobs/echo/outputs"));
    }

    private static async Task<Page<JobView>> Page(HttpClient http, string query) =>
        JsonSerializer.Deserialize<Page<JobView>>(await http.GetStringAsync("/api/v1/jobs" + query), ApiJson.Compact)!;

    private static async Task<JsonElement> Body(HttpResponseMessage response) => await response.Content.ReadFromJsonAsync<JsonElement>();

    /// <summary>The fleet in a host of its own, with a caller let in by no key.</summary>
    private sealed class Host : IAsyncDisposable
    {
        private readonly WebApplication _app;
        private readonly string _folder;

        private Host(WebApplication app, string folder)
        {
            (_app, _folder) = (app, folder);
            Http = new HttpClient { BaseAddress = new Uri(app.Urls.First()) };
        }

        public HttpClient Http { get; }

        public static async Task<Host> StartAsync()
        {
            var folder = Directory.CreateTempSubdirectory("cairn-fleet-").FullName;
            var store = await Store.OpenAsync(
                new StoreOptions { Database = Path.Combine(folder, "cairn.db") }, [.. FleetMigrations.All, RecordingFunds.Migration],
                    TimeProvider.System, default);
            var caller = new Caller(new KeyId(Guid.Empty), "ada", Role.Member, new ProjectId(new Guid(2, 0, 0, new byte[8])), "default");
            var builder = WebApplication.CreateSlimBuilder();
            builder.Logging.ClearProviders();
            builder.WebHost.UseUrls("http://127.0.0.1:0");
            builder.Services.ConfigureHttpJsonOptions(json => ApiJson.Configure(json.SerializerOptions));
            builder.Services.AddSingleton(TimeProvider.System).AddSingleton(store).AddSingleton<IFundsHold, RecordingFunds>();
            builder.Services.AddSingleton<IBlobs>(new FolderBlobs(Path.Combine(folder, "blobs"), TimeProvider.System));
            builder.Services.AddFleet(
                new FleetOptions
                {
                    SecretKeyFile = Path.Combine(folder, "keys", "secrets.key"),
                    Link = new() { CertificateFolder = Path.Combine(folder, "keys") },
                    Logs = new() { Folder = Path.Combine(folder, "logs") },
                },
                _ => (_, _, _) => null);
            var app = builder.Build();
            app.Use((context, next) =>
            {
                context.Features.Set(caller);
                return next(context);
            });
            app.MapFleet();
            await app.StartAsync();
            return new Host(app, folder);
        }

        public void Enrol(string name) => _app.Services.GetRequiredService<FleetNodes>().Add(
            new FleetNode(NodeId.New(DateTimeOffset.UnixEpoch), name, new byte[32], World.Machine(pricePerHour: 0),
                DateTimeOffset.UnixEpoch), joined: true);

        public async ValueTask DisposeAsync()
        {
            Http.Dispose();
            await _app.StopAsync();
            await _app.DisposeAsync();
            Directory.Delete(_folder, recursive: true);
        }
    }
}
