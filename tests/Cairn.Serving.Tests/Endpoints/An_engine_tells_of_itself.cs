using Cairn.Contracts.Ids;
using Cairn.Frameworks.Recipes.Serving;
using Cairn.Serving.Endpoints;
using Cairn.Serving.Gateway;
using Cairn.Serving.Gateway.Calls;
using Cairn.Serving.Gateway.Pools;
using Cairn.Serving.Gateway.Routing;
using Cairn.Serving.Gateway.Snapshots;
using Cairn.Serving.Tests.Gateway;
using CsCheck;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging.Abstractions;

namespace Cairn.Serving.Tests.Endpoints;

/// <summary>Engines' metrics: read in every engine's words, and what becomes of them.</summary>
public sealed class An_engine_tells_of_itself
{
    private static readonly DateTimeOffset s_now = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private const string Vllm = """
        # HELP vllm:num_requests_running Number of requests in model execution batches.
        # TYPE vllm:num_requests_running gauge
        vllm:num_requests_running{engine="0",model_name="m"} 3.0
        vllm:num_requests_running{engine="1",model_name="m"} 2.0
        vllm:num_requests_waiting{engine="0",model_name="m"} 4.0
        vllm:kv_cache_usage_perc{engine="0",model_name="m"} 0.25
        vllm:kv_cache_usage_perc{engine="1",model_name="m"} 0.875
        vllm:lora_requests_info{max_lora="2",running_lora_adapters="",waiting_lora_adapters=""} 1.7e+09
        vllm:lora_requests_info{max_lora="2",running_lora_adapters="sql, chat",waiting_lora_adapters="chat"} 1.7000001e+09
        vllm:lora_requests_info{max_lora="2",running_lora_adapters="old",waiting_lora_adapters=""} 1.69e+09
        vllm:prompt_tokens_total{engine="0",model_name="m"} 12345.0
        """;

    [Fact]
    public void In_the_words_of_vLLM()
    {
        var report = EngineMetrics.Read(Vllm)!;
        Assert.Equal((5, 4, 0.875f, 2), (report.Running, report.Waiting, report.CacheUsage, report.MostAdapters));
        Assert.Equal(["sql", "chat"], report.Adapters);
        Assert.Equal(0.5f, EngineMetrics.Read("vllm:gpu_cache_usage_perc 0.5 1700000000000")!.CacheUsage);
    }

    [Theory]
    [InlineData("sglang:num_running_reqs{m=\"a b\"} 7\nsglang:num_queue_reqs 2\nsglang:token_usage 0.5", 7, 2, 0.5f)]
    [InlineData("tgi_batch_current_size 4\r\ntgi_queue_size 1\r\n", 4, 1, 0f)]
    [InlineData("llamacpp:requests_processing 1\nllamacpp:requests_deferred 3\n", 1, 3, 0f)]
    [InlineData("trtllm_kv_cache_utilization 0.4", 0, 0, 0.4f)]
    [InlineData("nv_inference_pending_request_count{model=\"a\"} 2\nnv_inference_pending_request_count{model=\"b\"} 3", 0, 5, 0f)]
    public void In_the_words_of_others(string text, double running, double waiting, float usage)
    {
        var report = EngineMetrics.Read(text)!;
        Assert.Equal((running, waiting, usage), (report.Running, report.Waiting, report.CacheUsage));
    }

    [Fact]
    public void Every_gauge_of_every_recipe_is_known() => Assert.All(
        ServingRecipes.All.Select(r => r.Metrics).OfType<MetricNames>().SelectMany(m => new[] { m.Running, m.Waiting, m.KvUsage }).OfType<string>(),
        name => Assert.NotNull(EngineMetrics.Read(name + " 1")));

    [Theory]
    [InlineData("")]
    [InlineData("<html>Not found</html>")]
    [InlineData("# vllm:num_requests_running 3")]
    [InlineData("vllm:num_requests_running NaN")]
    [InlineData("vllm:num_requests_running{a=\"b\"")]
    [InlineData("process_cpu_seconds_total 3")]
    public void What_no_engine_says_is_nothing(string text) => Assert.Null(EngineMetrics.Read(text));

    [Fact]
    public void No_text_is_too_wild() => Gen.String[Gen.Char["vlm:nu_requsaig{}=\", \n0.5e-#"], 0, 200].Sample(text => _ = EngineMetrics.Read("vllm:num_requests_running" + text));

    [Fact]
    public void Requests_that_this_gateway_sent_are_not_somebody_elses()
    {
        var replica = Replica();
        replica.TryBegin(100, 0);
        replica.TryBegin(100, 0);
        // One of them ended while the engine was asked, which counted it.
        replica.Report(new EngineReport(3, 4, 0.9f, [], 0), before: 3, s_now);
        Assert.Equal(4, replica.Elsewhere(s_now));
        var view = View(replica, s_now);
        Assert.Equal((4f, 0.9f, 2), (view.Elsewhere, view.CacheUsage, view.Requests));
        // What is too old does not count.
        Assert.Equal(0, replica.Elsewhere(s_now.AddSeconds(31)));
        Assert.Equal((0f, 0f), (View(replica, s_now.AddSeconds(31)).Elsewhere, View(replica, s_now.AddSeconds(31)).CacheUsage));
    }

    [Fact]
    public void What_one_report_has_too_many_is_nobodys()
    {
        var replica = Replica();
        double[] beyond = [0, 5, 3, 4, 4, 0];
        double[] expected = [0, 0, 0, 3, 3, 0];
        for (var i = 0; i < beyond.Length; i++)
        {
            replica.Report(new EngineReport(beyond[i], 0, 0, [], 0), 0, s_now.AddSeconds(i));
            Assert.Equal(expected[i], replica.Elsewhere(s_now.AddSeconds(i)));
        }
    }

    [Fact]
    public void Adapters_are_those_reported_and_those_sent_last()
    {
        var replica = Replica();
        replica.Report(new EngineReport(0, 0, 0, ["sql"], 2), 0, s_now);
        foreach (var adapter in new[] { "a", "b", "c" })
            replica.TryBegin(1, AdapterBits.Of(adapter));
        Assert.Equal(AdapterBits.Of(["sql", "b", "c"]), View(replica, s_now).AdapterBits);
    }

    [Fact]
    public void As_many_adapters_are_remembered_as_the_engine_keeps() => Gen.Select(Gen.Int[0, 63].Array[1, 50], Gen.Int[1, 8]).Sample((sent, slots) =>
    {
        var memory = new AdapterMemory();
        foreach (var bit in sent)
            memory.Sent(1UL << bit, slots);
        var last = Enumerable.Reverse(sent).Distinct().Take(slots).Aggregate(0UL, (bits, bit) => bits | (1UL << bit));
        Assert.Equal(last, memory.Bits);
    });

    [Fact]
    public void Load_from_elsewhere_is_load()
    {
        var time = TimeProvider.System;
        var meter = new EndpointMeter(EndpointId.New(s_now), time);
        meter.Changed(running: 2);
        meter.Elsewhere(3);
        Assert.Equal(5, meter.Read((load, _) => load.Current.Concurrency));
        meter.Elsewhere(0);
        Assert.Equal(2, meter.Read((load, _) => load.Current.Concurrency));
    }

    [Fact]
    public async Task A_watch_reads_ready_replicas_and_asks_where_each_engine_tells()
    {
        await using var vllm = await FakeReplica.StartAsync(context => context.Response.WriteAsync(context.Request.Path == "/metrics" ? Vllm : "?"));
        await using var trt = await FakeReplica.StartAsync(context =>
        {
            context.Response.StatusCode = context.Request.Path == "/prometheus/metrics" ? 200 : 404;
            return context.Response.WriteAsync("trtllm_kv_cache_utilization 0.4\n");
        });
        await using var endless = await FakeReplica.StartAsync(async context =>
        {
            while (!context.RequestAborted.IsCancellationRequested)
                await context.Response.WriteAsync(new string('x', 1 << 16), context.RequestAborted);
        });
        await using var host = await GatewayHost.StartAsync();
        var route = host.Serve("m", vllm, trt, endless);
        var specs = ((PoolTarget)route.Targets[0]).Replicas;
        using var upstream = new Upstream(new GatewayOptions(), null);
        using var life = new Lifetime();
        using var watch = new EngineWatch(upstream, host.State, life, NullLogger<EngineWatch>.Instance, TimeProvider.System);
        watch.Watch(specs.Select(spec => new ProbeTarget(spec, null, "m")));
        watch.Watch(specs.Select(spec => new ProbeTarget(spec, null, "m")));
        await A_request_survives.UntilAsync(() => host.State.Elsewhere(specs[0].Task, DateTimeOffset.UtcNow) == 9);
        await A_request_survives.UntilAsync(() => trt.Asked.Any(a => a.Path == "/prometheus/metrics"));
        await A_request_survives.UntilAsync(() => endless.Asked.Count >= EngineMetrics.Paths.Count && endless.Running == 0);
        Assert.False(life.Stopped);
    }

    [Fact]
    public async Task A_request_for_an_adapter_stays_with_the_replica_that_has_it()
    {
        await using var one = await FakeReplica.StartAsync();
        await using var two = await FakeReplica.StartAsync();
        await using var three = await FakeReplica.StartAsync();
        await using var host = await GatewayHost.StartAsync();
        var route = host.Serve("base", one, two, three);
        var adapter = Assert.Single(AdapterRoutes.Of(route, _ => ["sql"]));
        host.Models.Add(adapter);
        host.Push();
        for (var i = 0; i < 12; i++)
        {
            using var content = new StringContent($$$"""{"model":"sql","messages":[{"role":"user","content":"{{{Guid.NewGuid()}}}"}]}""");
            using var response = await host.Client.PostAsync("/v1/chat/completions", content, TestContext.Current.CancellationToken);
            Assert.True(response.IsSuccessStatusCode);
        }
        FakeReplica[] all = [one, two, three];
        var only = Assert.Single(all, r => !r.Asked.IsEmpty);
        Assert.All(only.Asked, a => Assert.Contains("\"model\":\"sql\"", a.Body, StringComparison.Ordinal));
    }

    [Fact]
    public void An_adapter_goes_to_the_revisions_that_have_it()
    {
        var endpoint = EndpointId.New(s_now);
        var pools = Enumerable.Range(1, 2).Select(n => new PoolTarget { Endpoint = endpoint, Revision = n, UpstreamModel = "base", Replicas = [] });
        var route = new ModelRoute { Name = new ModelName(ProjectId.New(s_now), "base"), Targets = [.. pools] };
        var adapters = AdapterRoutes.Of(route, revision => revision == 1 ? ["a"] : ["a", "b"]).ToDictionary(r => r.Name.Model);
        Assert.Equal(["a", "b"], adapters.Keys.Order());
        Assert.Equal((2, 1), (adapters["a"].Targets.Count, adapters["b"].Targets.Count));
        Assert.All(adapters.Values, r => Assert.All(r.Targets, t => Assert.Equal(r.Adapter, t.UpstreamModel)));
    }

    private static ReplicaState Replica() =>
        new(1, new ReplicaSpec { Task = TaskId.New(s_now), Address = new Uri("http://127.0.0.1:1"), Ready = true }, new BreakerOptions());

    private static ReplicaView View(ReplicaState replica, DateTimeOffset now)
    {
        var view = new ReplicaView();
        replica.View(ref view, now);
        return view;
    }

    private sealed class Lifetime : IHostApplicationLifetime, IDisposable
    {
        private readonly CancellationTokenSource _stop = new();

        public bool Stopped => _stop.IsCancellationRequested;

        public CancellationToken ApplicationStarted => default;

        public CancellationToken ApplicationStopping => _stop.Token;

        public CancellationToken ApplicationStopped => default;

        public void StopApplication() => _stop.Cancel();

        public void Dispose() => _stop.Dispose();
    }
}
