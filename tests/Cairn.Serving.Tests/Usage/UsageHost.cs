using System.Collections.Frozen;
using Cairn.Contracts.Ids;
using Cairn.Contracts.Units;
using Cairn.Serving.Gateway;
using Cairn.Serving.Gateway.Calls;
using Cairn.Serving.Gateway.Limits;
using Cairn.Serving.Gateway.Pools;
using Cairn.Serving.Gateway.Snapshots;
using Cairn.Serving.Usage;
using Cairn.State;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace Cairn.Serving.Tests.Usage;

/// <summary>A usage ledger over a real store, with charges kept in a table of their own and refused on demand.</summary>
internal sealed class UsageHost : IAsyncDisposable, IInferenceCharges
{
    private static readonly Migration s_charges = new("test", 1, "CREATE TABLE test_charges (batch TEXT NOT NULL PRIMARY KEY, cost BIGINT NOT NULL)");
    private readonly string _folder = Directory.CreateTempSubdirectory("cairn-usage-").FullName;
    private UsageLedger _ledger = null!;

    public Store Store { get; private set; } = null!;

    public FakeTimeProvider Time { get; } = new(new DateTimeOffset(2026, 3, 4, 12, 0, 0, TimeSpan.Zero));

    public ProjectId Project { get; } = ProjectId.New(new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero));

    public UsageBook Book { get; private set; } = new();

    public GatewayState State { get; private set; } = null!;

    public UsageReading Reading => new(Store, State);

    /// <summary>What the project was granted, in micro-dollars.</summary>
    public long Granted { get; set; } = 1_000_000_000_000;

    public string FundsSignal => "test-funds";

    /// <summary>The next write is refused after its rows were written.</summary>
    public bool Refuses { get; set; }

    /// <summary>Begins as a server does, with nothing in memory.</summary>
    public static async Task<UsageHost> StartAsync(params GatewayKey[] keys)
    {
        var host = new UsageHost();
        await host.BeginAsync(keys);
        return host;
    }

    /// <summary>As after kill -9: what was in memory is gone.</summary>
    public async Task DieAndStartAsync(params GatewayKey[] keys)
    {
        await Store.DisposeAsync();
        await BeginAsync(keys);
    }

    public GatewayKey Key(string name, KeyLimits? limits = null, KeyId? parent = null) => new()
    {
        Id = KeyId.New(Time.GetUtcNow()), Name = name, SecretHash = new byte[32], Project = Project, Limits = limits ?? KeyLimits.None, Parent = parent,
    };

    public void Use(GatewayKey key, long cost, string model = "tiny") =>
        Book.Add(new UsageSubject(Project, key.Id, model, null, "acme"), new UsageSum(1, 100, 10, 50, new Money(cost)));

    public Task FlushAsync() => _ledger.FlushAsync(TestContext.Current.CancellationToken);

    public Task StopAsync(CancellationToken cancellationToken) => _ledger.StopAsync(cancellationToken);

    public Reservation? Reserve(GatewayKey key, long cost) => Reservation.Take(State.FindKey(key.Id)!.Value.Account, 0, new Money(cost), Time.GetUtcNow(), out _);

    public Task<long> ChargedAsync() => Store.ReadAsync(s => s.Scalar<long>("SELECT CAST(COALESCE(SUM(cost), 0) AS BIGINT) FROM test_charges"), TestContext.Current.CancellationToken);

    public async Task<(long Requests, long Cost)> WrittenAsync() => await Store.ReadAsync(s => s.QuerySingleOrDefault<(long, long)>(
        "SELECT CAST(COALESCE(SUM(requests), 0) AS BIGINT), CAST(COALESCE(SUM(cost), 0) AS BIGINT) FROM inference_usage"), TestContext.Current.CancellationToken);

    public void Charge(WriteSession session, Guid batch, DateTimeOffset at, IReadOnlyCollection<KeyValuePair<UsageSubject, UsageSum>> usage)
    {
        session.Execute("INSERT INTO test_charges (batch, cost) VALUES (@batch, @cost)", new { batch, cost = usage.Sum(u => u.Value.Cost.Micros) });
        if (Refuses)
            throw new StoreException(StoreFault.Busy, "The disk is busy, says the test.");
    }

    public Task RenewFundsAsync() => _ledger.RenewFundsAsync(TestContext.Current.CancellationToken);

    public IReadOnlyDictionary<ProjectId, Money> Available(ReadSession session, IReadOnlyCollection<ProjectId>? projects) =>
        new Dictionary<ProjectId, Money> { [Project] = new(Granted - session.Scalar<long>("SELECT CAST(COALESCE(SUM(cost), 0) AS BIGINT) FROM test_charges")) };

    public async ValueTask DisposeAsync()
    {
        _ledger.Dispose();
        await Store.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    private async Task BeginAsync(GatewayKey[] keys)
    {
        var cancellationToken = TestContext.Current.CancellationToken;
        Store = await Store.OpenAsync(new StoreOptions { Database = Path.Combine(_folder, "usage.db") }, [.. ServingMigrations.All, s_charges], Time, cancellationToken);
        (Book, State) = (new UsageBook(), new GatewayState(new GatewayOptions()));
        _ledger = new UsageLedger(Store, Book, State, this, Time, NullLogger<UsageLedger>.Instance);
        await _ledger.StartAsync(cancellationToken);
        State.Push(new GatewaySnapshot(1, FrozenDictionary<ModelName, ModelRoute>.Empty, keys.ToFrozenDictionary(k => k.Id)));
    }
}
