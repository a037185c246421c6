using System.Collections.Frozen;
using Cairn.Contracts.Ids;
using Cairn.Serving.Gateway;
using Cairn.Serving.Gateway.Entering;
using Cairn.Serving.Gateway.Pools;
using Cairn.Serving.Gateway.Snapshots;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Time.Testing;

namespace Cairn.Serving.Tests.Gateway;

/// <summary>Before the first snapshot a gateway knows no keys, models and names: whoever needs them waits, and nobody else.</summary>
public sealed class Who_comes_too_early
{
    private static readonly GatewayOptions s_options = new() { OwnHosts = ["cairn.example.com"] };
    private readonly FakeTimeProvider _time = new();
    private readonly GatewayState _state = new(s_options);
    private readonly GatewayEntry _entry;
    private PathString? _reached;

    public Who_comes_too_early() => _entry = new GatewayEntry(context =>
    {
        _reached = context.Request.Path;
        return Task.CompletedTask;
    }, _state, s_options, _time);

    [Theory]
    [InlineData("/v1/files", "localhost")]
    [InlineData("/v1/models", "cairn.example.com")]
    [InlineData("/v2/models/tiny/infer", "127.0.0.1")]
    [InlineData("/inference.GRPCInferenceService/ModelInfer", "localhost")]
    [InlineData("/endpoints/api/hello", "localhost")]
    public async Task Waits_for_the_first_snapshot_on_a_path_of_the_gateway(string path, string host)
    {
        var going = _entry.InvokeAsync(Request(path, host));
        Assert.Null(_reached);
        Push();
        await going;
        Assert.Equal(path, _reached);
    }

    [Fact]
    public async Task Comes_to_the_endpoint_whose_name_was_called()
    {
        var going = _entry.InvokeAsync(Request("/api/v1/jobs", "chat.example.com:7070"));
        Assert.Null(_reached);
        Push(KeyValuePair.Create("chat.example.com", new HostRoute(ProjectId.New(_time.GetUtcNow()), "chat", null)));
        await going;
        Assert.Equal("/endpoints/chat/api/v1/jobs", _reached);
    }

    [Theory]
    [InlineData("/api/v1/jobs", "localhost")]
    [InlineData("/healthz", "10.0.0.1")]
    [InlineData("/healthz", "cairn.example.com")]
    [InlineData("/v2/health/live", "localhost")]
    public async Task Does_not_wait_for_what_is_the_servers_own(string path, string host)
    {
        await _entry.InvokeAsync(Request(path, host));
        Assert.Equal(path, _reached);
    }

    [Theory]
    [InlineData("/v1/models", "localhost")]
    [InlineData("/healthz", "chat.example.com")]
    public async Task Goes_on_without_one_when_patience_is_over(string path, string host)
    {
        var going = _entry.InvokeAsync(Request(path, host));
        Assert.Null(_reached);
        _time.Advance(s_options.StartPatience);
        await going;
        Assert.Equal(path, _reached);
    }

    [Fact]
    public async Task Waits_by_an_unknown_name_only_while_the_gateway_is_new()
    {
        _time.Advance(s_options.StartPatience);
        await _entry.InvokeAsync(Request("/healthz", "balancer.example.com"));
        Assert.Equal("/healthz", _reached);
    }

    private static DefaultHttpContext Request(string path, string host) => new() { Request = { Path = path, Host = new HostString(host) } };

    private void Push(params KeyValuePair<string, HostRoute>[] hosts) =>
        _state.Push(new GatewaySnapshot(1, FrozenDictionary<ModelName, ModelRoute>.Empty, FrozenDictionary<KeyId, GatewayKey>.Empty) { Hosts = hosts.ToFrozenDictionary() });
}
