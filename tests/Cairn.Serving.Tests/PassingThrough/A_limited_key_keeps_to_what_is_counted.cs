using System.Collections.Frozen;
using Cairn.Contracts.Ids;
using Cairn.Contracts.Units;
using Cairn.Serving.Gateway;
using Cairn.Serving.Gateway.Calls;
using Cairn.Serving.Gateway.Limits;
using Cairn.Serving.Gateway.Pools;
using Cairn.Serving.Gateway.Snapshots;

namespace Cairn.Serving.Tests.PassingThrough;

public sealed class A_limited_key_keeps_to_what_is_counted
{
    private const string Path = "/endpoints/tiny";

    [Fact]
    public void A_key_without_limits_may_use_a_path() => Assert.Null(Refusal(KeyLimits.None, [], KeyLimits.None));

    [Fact]
    public void Rates_of_requests_are_counted_there_too() => Assert.Null(Refusal(new KeyLimits { RequestsPerMinute = 1, ParallelRequests = 1 }, [], KeyLimits.None));

    [Fact]
    public void A_budget_or_a_limit_of_tokens_is_not_walked_around_by_the_path()
    {
        Assert.Equal("not_metered", Refusal(new KeyLimits { Budget = Money.FromUsd(1) }, [], KeyLimits.None));
        Assert.Equal("not_metered", Refusal(new KeyLimits { TokensPerMinute = 100 }, [], KeyLimits.None));
        Assert.Equal("not_metered", Refusal(KeyLimits.None, [], new KeyLimits { Budget = Money.FromUsd(1) }));
    }

    [Fact]
    public void A_key_with_models_must_name_the_path()
    {
        Assert.Equal("model_not_allowed", Refusal(KeyLimits.None, ["tiny"], KeyLimits.None));
        Assert.Null(Refusal(KeyLimits.None, ["tiny", "/endpoints/ti*"], KeyLimits.None));
    }

    private static string? Refusal(KeyLimits limits, string[] models, KeyLimits above)
    {
        var now = new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
        var project = ProjectId.New(now);
        var parent = new GatewayKey { Id = KeyId.New(now), Name = "team", SecretHash = new byte[32], Project = project, Limits = above };
        var key = new GatewayKey { Id = KeyId.New(now), Name = "app", SecretHash = new byte[32], Project = project, Limits = limits, Models = models, Parent = parent.Id };
        var state = new GatewayState(new GatewayOptions());
        state.Push(new GatewaySnapshot(1, FrozenDictionary<ModelName, ModelRoute>.Empty, new[] { parent, key }.ToFrozenDictionary(k => k.Id)));
        return Admission.Unmetered(key, state.FindKey(key.Id)!.Value.Account, Path, state)?.Code;
    }
}
