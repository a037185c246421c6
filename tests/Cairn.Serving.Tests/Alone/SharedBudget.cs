using System.Collections.Frozen;
using Cairn.Contracts.Ids;
using Cairn.Contracts.Units;
using Cairn.Serving.Alone;
using Cairn.Serving.Gateway;
using Cairn.Serving.Gateway.Calls;
using Cairn.Serving.Gateway.Limits;
using Cairn.Serving.Gateway.Pools;
using Cairn.Serving.Gateway.Snapshots;
using Cairn.Serving.Gateways;
using Cairn.Serving.Usage;
using Cairn.State;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace Cairn.Serving.Tests.Alone;

/// <summary>A server over a real store and gateways with real journals, all of which may die; reports and replies may be lost between them.</summary>
internal sealed class SharedBudget : IAsyncDisposable, IInferenceCharges
{
    private static readonly Migration s_charges = new("test", 1, "CREATE TABLE test_charges (batch TEXT NOT NULL PRIMARY KEY, cost BIGINT NOT NULL)");
    private readonly string _folder = Directory.CreateTempSubdirectory("cairn-shared-").FullName;
    private readonly GatewayKey[] _keys;
    private UsageLedger _ledger = null!;
    private UsageBook _book = null!;

    private SharedBudget(GatewayKey[] keys, int gateways)
    {
        _keys = keys;
        Gateways = [.. Enumerable.Range(0, gateways).Select(i => new Member(this, i))];
    }

    public FakeTimeProvider Time { get; } = new(new DateTimeOffset(2026, 3, 4, 12, 0, 0, TimeSpan.Zero));

    public Store Store { get; private set; } = null!;

    public GatewayState State { get; private set; } = null!;

    public GatewayBoard Board { get; private set; } = null!;

    public GatewayReports Reports { get; private set; } = null!;

    public IReadOnlyList<Member> Gateways { get; }

    /// <summary>What the project was granted, less what went elsewhere than to models; the ledger has it less what was charged. Micro-dollars.</summary>
    public long Credits { get; private set; } = 1_000_000_000;

    private GatewaySnapshot Snapshot => new(1, FrozenDictionary<ModelName, ModelRoute>.Empty, _keys.ToFrozenDictionary(k => k.Id));

    public static Task<SharedBudget> StartAsync(int gateways, params GatewayKey[] keys) => StartAsync(1_000_000_000, gateways, keys);

    public static async Task<SharedBudget> StartAsync(long credits, int gateways, params GatewayKey[] keys)
    {
        var world = new SharedBudget(keys, gateways) { Credits = credits };
        await world.BeginAsync();
        world.Serve();
        foreach (var gateway in world.Gateways)
            gateway.Begin();
        return world;
    }

    /// <summary>As after kill -9, once what its own gateway used is written.</summary>
    /// <param name="serves">Whether the next one knows its keys already.</param>
    public async Task KillServerAsync(bool serves = true)
    {
        await _ledger.FlushAsync(TestContext.Current.CancellationToken);
        await Store.DisposeAsync();
        await BeginAsync();
        if (serves)
            Serve();
    }

    /// <summary>The server's own gateway gets its first snapshot.</summary>
    public void Serve() => State.Push(Snapshot);

    /// <summary>Credits come or go, and the server hears of it.</summary>
    public async Task GrantAsync(long more)
    {
        Credits += more;
        await _ledger.RenewFundsAsync(TestContext.Current.CancellationToken);
    }

    /// <summary>A request through the server's own gateway.</summary>
    /// <returns>Whether it was let in.</returns>
    public async Task<bool> UseAsync(GatewayKey key, long most, long used, bool written = true)
    {
        using var held = Reservation.Take(State.FindKey(key.Id)!.Value.Account, 0, new Money(most), Time.GetUtcNow(), out _);
        if (held is null)
            return false;
        held.Settle(0, new Money(used));
        _book.Add(Subject(key), new UsageSum(1, 1, 0, 1, new Money(used)));
        if (written)
            await _ledger.FlushAsync(TestContext.Current.CancellationToken);
        return true;
    }

    public static GatewayKey Key(string name, long? budget, GatewayKey? parent = null) => new()
    {
        Id = KeyId.New(new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero)), Name = name, SecretHash = new byte[32], Project = new ProjectId(Guid.Parse("11111111-1111-7111-8111-111111111111")),
        Limits = new KeyLimits { Budget = budget is { } most ? new Money(most) : null, Period = BudgetPeriod.Monthly }, Parent = parent?.Id,
    };

    public static UsageSubject Subject(GatewayKey key) => new(key.Project, key.Id, "tiny", null, "acme");

    /// <summary>What the rows say that a key and those under it have spent.</summary>
    public async Task<long> SpentAsync(GatewayKey key) =>
        (await Store.ReadAsync(UsageRows.Spent, TestContext.Current.CancellationToken)).GetValueOrDefault(key.Id)?.MonthSpent.Micros ?? 0;

    public Task<long> ChargedAsync() => Store.ReadAsync(s => s.Scalar<long>("SELECT CAST(COALESCE(SUM(cost), 0) AS BIGINT) FROM test_charges"), TestContext.Current.CancellationToken);

    public void Charge(WriteSession session, Guid batch, DateTimeOffset at, IReadOnlyCollection<KeyValuePair<UsageSubject, UsageSum>> usage) =>
        session.Execute("INSERT INTO test_charges (batch, cost) VALUES (@batch, @cost)", new { batch, cost = usage.Sum(u => u.Value.Cost.Micros) });

    public string FundsSignal => "test-funds";

    public IReadOnlyDictionary<ProjectId, Money> Available(ReadSession session, IReadOnlyCollection<ProjectId>? projects) =>
        new Dictionary<ProjectId, Money> { [_keys[0].Project] = new(Credits - session.Scalar<long>("SELECT CAST(COALESCE(SUM(cost), 0) AS BIGINT) FROM test_charges")) };

    public async ValueTask DisposeAsync()
    {
        foreach (var gateway in Gateways)
            gateway.Dispose();
        _ledger.Dispose();
        Reports.Dispose();
        await Store.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    private async Task BeginAsync()
    {
        var token = TestContext.Current.CancellationToken;
        Store = await Store.OpenAsync(new StoreOptions { Database = Path.Combine(_folder, "server.db") }, [.. ServingMigrations.All, s_charges], Time, token);
        (_book, State, Board) = (new UsageBook(), new GatewayState(new GatewayOptions()), new GatewayBoard(Time));
        _ledger = new UsageLedger(Store, _book, State, this, Time, NullLogger<UsageLedger>.Instance);
        Reports = new GatewayReports(Store, State, Board, new SliceBook(Store, State), new LoadsElsewhere(new EndpointActivities(Time), Time), _ledger, Time,
            NullLogger<GatewayReports>.Instance);
        await _ledger.StartAsync(token);
        await Reports.StartAsync(token);
    }

    /// <summary>One gateway that runs alone.</summary>
    internal sealed class Member(SharedBudget world, int number) : IDisposable
    {
        public Guid Id { get; } = Guid.CreateVersion7(world.Time.GetUtcNow().AddMilliseconds(number));
        private Journal? _journal;
        private UsageBook _usage = null!;

        public GatewayState State { get; private set; } = null!;

        public AloneBook Book { get; private set; } = null!;

        /// <summary>Used since the last time it was made durable.</summary>
        public long Unwritten { get; private set; }

        public void Begin(bool limitsFunds = true)
        {
            _journal?.Dispose();
            _journal = new Journal(Path.Combine(world._folder, $"gateway-{number}.journal"));
            (State, _usage, Unwritten) = (new GatewayState(new GatewayOptions { BorrowedBudgets = true }), new UsageBook(), 0);
            Book = new AloneBook(_journal, State, _usage, world.Time);
            Book.Push(world.Snapshot, limitsFunds);
        }

        /// <summary>As after kill -9.</summary>
        /// <returns>What it had used and not written down.</returns>
        public long Kill()
        {
            var lost = Unwritten;
            Dispose();
            Begin();
            return lost;
        }

        public bool Use(GatewayKey key, long most, long used)
        {
            using var held = Reservation.Take(State.FindKey(key.Id)!.Value.Account, 0, new Money(most), world.Time.GetUtcNow(), out _);
            if (held is null)
                return false;
            held.Settle(0, new Money(used));
            _usage.Add(Subject(key), new UsageSum(1, 1, 0, 1, new Money(used)));
            Unwritten += used;
            return true;
        }

        /// <summary>One turn of reporting.</summary>
        /// <param name="wanted">What requests lack, by key.</param>
        /// <param name="arrives">Whether the server gets the report.</param>
        /// <param name="answered">Whether the reply comes back.</param>
        /// <param name="leaving">Whether it gives back what it has and goes.</param>
        public async Task ReportAsync(IReadOnlyList<BudgetAsk>? wanted = null, bool arrives = true, bool answered = true, bool leaving = false)
        {
            if (leaving)
                Book.GiveBackAll();
            var usage = Book.Record(world.Time.GetUtcNow());
            Unwritten = 0;
            var returns = Book.Returns();
            var asks = Book.Wishes(world.Time.GetUtcNow()).Select(key => new BudgetAsk(key, Money.Zero)).Concat(wanted ?? []).DistinctBy(ask => ask.Purse).ToList();
            if (!arrives)
            {
                Book.Came();
                return;
            }
            var report = new GatewayReport
            {
                Gateway = Id, Name = $"g{number}", Usage = usage, Asks = leaving ? [] : asks, Returns = returns, Leaving = leaving,
            };
            Assert.Null(ReportChecks.Problem(report));
            var reply = await world.Reports.TakeAsync(report, KeyId.New(world.Time.GetUtcNow()), TestContext.Current.CancellationToken);
            if (answered && reply is not null)
                Book.Replied(reply, returns);
            else
                Book.Came();
        }

        public void Dispose() => _journal?.Dispose();
    }
}
