using System.Net;
using Cairn.Frameworks.Engine;
using Cairn.Frameworks.Engine.Hosting;

namespace Cairn.Frameworks.Tests.OpenAi;

public sealed class Engine_host
{
    [Fact]
    public void Options_tell_all_their_mistakes_at_once()
    {
        var options = new EngineHostOptions
        {
            Http = new IPEndPoint(IPAddress.Any, 80),
            Grpc = new IPEndPoint(IPAddress.Loopback, 80),
            MaxBodyBytes = 1,
            DrainSeconds = -1,
            HealthTimeoutSeconds = 0,
            Models = [new("twice", "/nowhere", new EngineOptions { Rows = 0 }),
                new("twice", Path.GetTempPath(), new EngineOptions { QueueLimit = 0 }), new("", Path.GetTempPath(), new())],
        };

        var errors = options.Validate();

        Assert.Equal(10, errors.Count);
        Assert.Contains(errors, error => error.Contains("loopback only", StringComparison.Ordinal));
        Assert.Contains(errors, error => error.Contains("two ports", StringComparison.Ordinal));
        Assert.Contains(errors, error => error.Contains("Rows is 0; expected 1 to 256", StringComparison.Ordinal));
        Assert.Contains(errors, error => error.Contains("no folder /nowhere", StringComparison.Ordinal));
        Assert.Contains(errors, error => error.Contains("2 models are named twice", StringComparison.Ordinal));
        Assert.Empty(new EngineHostOptions().Validate());
    }

    [Fact]
    public void A_models_options_tell_all_their_mistakes_at_once()
    {
        var options = new EngineOptions
        {
            Rows = 257, ContextLength = 1, Threads = 0, SpinMicroseconds = -1, StepBudgetMilliseconds = 0, PrefillRatio = double.NaN,
            PrefixCacheBytes = -1, KeyValueBytes = 0, QueueLimit = 0, ReaderLagPieces = 0,
        };

        var problems = options.Problems();

        Assert.Equal(
            ["Rows", "ContextLength", "Threads", "SpinMicroseconds", "StepBudgetMilliseconds", "PrefillRatio", "PrefixCacheBytes",
                "KeyValueBytes", "QueueLimit", "ReaderLagPieces"],
            problems.Select(problem => problem.Split(' ')[0]));
        Assert.Contains("PrefillRatio is NaN; expected 0.1 to 1000.", problems);
        Assert.Empty(new EngineOptions().Problems());
    }

    [Fact]
    public async Task It_answers_health_models_and_metrics_on_loopback()
    {
        await using var host = await EngineHosts.StartAsync();
        await host.Ready;
        using var http = new HttpClient { BaseAddress = new Uri(host.HttpAddress) };

        Assert.Equal("""{"status":"ok"}""", await http.GetStringAsync("/health"));
        Assert.Equal("""{"ready":true,"status":"ready"}""", await http.GetStringAsync("/v2/health/ready"));
        Assert.Equal("""{"object":"list","data":[]}""", await http.GetStringAsync("/v1/models"));
        using var metrics = await http.GetAsync("/metrics");
        Assert.Equal("text/plain; version=0.0.4; charset=utf-8", metrics.Content.Headers.ContentType?.ToString());
        Assert.True(IPAddress.IsLoopback(IPAddress.Parse(new Uri(host.HttpAddress).Host)));
    }

    [Fact]
    public async Task Its_grpc_address_speaks_http_2_without_tls()
    {
        await using var host = await EngineHosts.StartAsync();
        using var http = new HttpClient { BaseAddress = new Uri(host.GrpcAddress!) };
        using var request = new HttpRequestMessage(HttpMethod.Get, "/v2/health/live")
        {
            Version = HttpVersion.Version20, VersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };

        using var answer = await http.SendAsync(request);

        Assert.Equal((HttpStatusCode.OK, HttpVersion.Version20), (answer.StatusCode, answer.Version));
    }

    [Fact]
    public async Task A_folder_without_a_model_fails_readiness_with_its_name_and_the_process_lives_on()
    {
        using var folder = new TemporaryFolder();
        await using var host = await EngineHosts.StartAsync(new ModelSource("empty", folder.Path, new()));
        using var http = new HttpClient { BaseAddress = new Uri(host.HttpAddress) };

        var failure = await Assert.ThrowsAsync<ModelLoadException>(() => host.Ready);

        Assert.Contains("empty", failure.Message, StringComparison.Ordinal);
        using var health = await http.GetAsync("/health");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, health.StatusCode);
        Assert.Equal("""{"status":"failed"}""", await health.Content.ReadAsStringAsync());
        using var live = await http.GetAsync("/v2/health/live");
        Assert.Equal(HttpStatusCode.OK, live.StatusCode);
    }
}
