using Cairn.Contracts.Api;
using Cairn.Contracts.Ids;
using Cairn.Serving.Endpoints;
using Cairn.Serving.Gateway;
using Cairn.Serving.Gateway.Calls;
using Cairn.Serving.Gateway.Pools;
using Cairn.Serving.Gateway.Snapshots;
using Cairn.Serving.Gateways;
using Cairn.Serving.Providers;
using Microsoft.Extensions.Hosting.Internal;
using Microsoft.Extensions.Logging.Abstractions;

namespace Cairn.Serving.Tests.Endpoints;

/// <summary>What clients wait for when a server has just begun: endpoints and providers are read by loops of their own, in any order.</summary>
public sealed class A_gateway_begins
{
    private static readonly DateTimeOffset s_now = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Serving_when_both_endpoints_and_providers_were_read(bool endpointsFirst)
    {
        var (state, book, push) = Begin();
        var row = new ProviderRow
        {
            Id = Guid.CreateVersion7(s_now), ProjectId = ProjectId.New(s_now), Name = "acme", BaseUrl = "https://api.example.com/v1",
            Models = new([new ProviderModelView { Model = "chat" }]),
        };
        Action[] reads = [() => push.Push([], new Dictionary<(EndpointId, int), Revision>(), []), () => book.Renew([row])];

        reads[endpointsFirst ? 0 : 1]();
        Assert.Equal(0, state.Snapshot.Version);
        reads[endpointsFirst ? 1 : 0]();

        Assert.Equal(1, state.Snapshot.Version);
        Assert.Equal("chat", Assert.Single(state.Snapshot.Models).Key.Model);
    }

    [Fact]
    public void Serving_where_there_are_no_providers_at_all()
    {
        var (state, book, push) = Begin();
        push.Push([], new Dictionary<(EndpointId, int), Revision>(), []);
        book.Renew([]);
        book.Renew([]);
        Assert.Equal(1, state.Snapshot.Version);
    }

    private static (GatewayState State, ProviderBook Book, GatewayPush Push) Begin()
    {
        var options = new GatewayOptions();
        var (state, book) = (new GatewayState(options), new ProviderBook(new CredentialSeal((_, text) => text, (_, text) => text), NullLogger<ProviderBook>.Instance));
        var prober = new ReplicaProber(new ReadinessCheck(new Upstream(options, null), TimeProvider.System), new ApplicationLifetime(NullLogger<ApplicationLifetime>.Instance),
            NullLogger<ReplicaProber>.Instance, TimeProvider.System);
        return (state, book, new GatewayPush(state, new NoKeys(), prober, book, options, new GatewayBoard(TimeProvider.System)));
    }

    private sealed class NoKeys : IGatewayKeys
    {
        public event Action? Changed
        {
            add { }
            remove { }
        }

        public long Version => 1;

        public IReadOnlyCollection<GatewayKey> All() => [];

        public bool Lives(KeyId key) => false;
    }
}
