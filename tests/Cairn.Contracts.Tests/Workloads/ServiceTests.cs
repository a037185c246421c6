using Cairn.Contracts.Workloads;

namespace Cairn.Contracts.Tests.Workloads;

/// <summary>When a replica is ready, which adapters it has and which machines it may have, in every form in which people write it.</summary>
public sealed class ServiceTests
{
    [Fact]
    public void A_probe_with_a_body_is_read_from_all_three_forms()
    {
        var cairn = Service("""
            run: x
            service:
              port: 8000
              readiness: {path: /v1/chat/completions, body: {model: m, max_tokens: 1, stream: false, stop: null, n: 0.5}, headers: {X-A: b}, timeout: 15s, start_within: 20m}
            """);
        var sky = Service("""
            run: x
            service:
              ports: 8000
              readiness_probe:
                path: /v1/chat/completions
                post_data: {model: m, max_tokens: 1, stream: false, stop: null, n: 0.5}
                headers: {X-A: b}
                timeout_seconds: 15
                initial_delay_seconds: 1200
            """);
        var dstack = Service("""
            type: service
            port: 80:8000
            commands: [x]
            probes:
              - {type: http, method: post, url: /v1/chat/completions, body: '{"model":"m","max_tokens":1,"stream":false,"stop":null,"n":0.5}', headers: [{name: X-A, value: b}], timeout: 15s}
            """);
        Assert.Equal("""{"model":"m","max_tokens":1,"stream":false,"stop":null,"n":0.5}""", cairn.ReadinessBody);
        Assert.Equal(1200, cairn.StartWithinSeconds);
        Assert.All([sky, dstack], one =>
        {
            Assert.Equal((cairn.ReadinessPath, cairn.ReadinessBody, 15), (one.ReadinessPath, one.ReadinessBody, one.ReadinessTimeoutSeconds));
            Assert.Equal("b", Assert.Single(one.ReadinessHeaders).Value);
        });
        Assert.Equal(1200, sky.StartWithinSeconds);
    }

    [Fact]
    public void A_body_that_is_text_stays_as_it_is()
    {
        Assert.Equal("{'model_name': 'm'}", Service("run: x\nservice: {port: 1, readiness: {path: /, body: \"{'model_name': 'm'}\"}}").ReadinessBody);
        Assert.Equal("", Service("type: service\nport: 1\ncommands: [x]\nprobes: [{type: http, method: post}]").ReadinessBody);
        Assert.Null(Service("type: service\nport: 1\ncommands: [x]\nprobes: [{type: http, method: get, url: /x}]").ReadinessBody);
    }

    [Fact]
    public void Adapters_and_machines_that_stay_are_read()
    {
        var service = Service("run: x\nservice: {port: 1, model: base, adapters: [sql, chat, sql], scale_down_delay: 10m, on_demand: {base: 2, percent: 25}}");
        Assert.Equal(["sql", "chat"], service.Adapters);
        Assert.Equal((600, 2, 25), (service.ScaleDownDelaySeconds, service.OnDemandBase, service.OnDemandPercent));
        Assert.Equal(1, Service("run: x\nservice: {ports: 1, replica_policy: {min_replicas: 1, base_ondemand_fallback_replicas: 1}}").OnDemandBase);
    }

    [Fact]
    public void A_mirror_is_read_and_written_back()
    {
        Assert.Equal(new MirrorSpec("next", 10), Service("run: x\nservice: {port: 1, mirror: {percent: 10, endpoint: next}}").Mirror);
        var file = WorkloadParser.Parse("run: x\nservice: {port: 1, mirror: {endpoint: '10', percent: 100}}", "x.yaml").File!;
        Assert.Equal(new MirrorSpec("10", 100), Service(WorkloadWriter.ToYaml(file)).Mirror);
    }

    [Theory]
    [InlineData("mirror: next", "a mapping such as {endpoint: next, percent: 10}")]
    [InlineData("mirror: {endpoint: next}", "both endpoint and percent")]
    [InlineData("mirror: {endpoint: next, percent: null}", "both endpoint and percent")]
    [InlineData("mirror: {percent: 5}", "both endpoint and percent")]
    [InlineData("mirror: {endpoint: next, percent: 0}", "from 1 to 100")]
    [InlineData("mirror: {endpoint: next, percent: 101}", "from 1 to 100")]
    [InlineData("mirror: {endpoint: next, percent: 2.5}", "from 1 to 100")]
    [InlineData("mirror: {endpoint: Next, percent: 5}", "lower-case letters")]
    [InlineData("readiness: {path: health}", "a path that starts with '/'")]
    [InlineData("readiness: {path: /, headers: {'a b': c}}", "cannot name a header")]
    [InlineData("readiness: {path: /, timeout: 1h}", "at most 10m")]
    [InlineData("readiness: {path: /, start_within: 0}", "at least 1s")]
    [InlineData("readiness: {pth: /}", "did you mean 'path'?")]
    [InlineData("scale_down_delay: 2d", "at most 24h")]
    [InlineData("on_demand: 2", "a mapping such as {base: 1, percent: 20}")]
    [InlineData("on_demand: {percent: 101}", "a number from 0 to 100")]
    [InlineData("adapters: {a: b}", "a list of adapters")]
    public void What_is_wrong_is_said(string field, string expected)
    {
        var error = Assert.Single(WorkloadParser.Parse($"run: x\nservice: {{port: 1, {field}}}", "x.yaml").Errors);
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }

    private static ServiceSpec Service(string yaml)
    {
        var result = WorkloadParser.Parse(yaml, "x.yaml");
        Assert.Empty(result.Errors);
        return Assert.Single(result.File!.Steps).Workload.Service!;
    }
}
