using Cairn.Contracts.Ids;
using Cairn.Contracts.Units;
using Cairn.Market.Funds;
using Cairn.Market.Ledger;
using Cairn.State;
using Microsoft.Extensions.Time.Testing;

namespace Cairn.Market.Tests;

/// <summary>A real store in a folder of its own, with the market's tables.</summary>
internal sealed class MarketStore : IAsyncDisposable
{
    private readonly string _folder;

    private MarketStore(string folder, Store store, FakeTimeProvider time) => (_folder, Store, Time) = (folder, store, time);

    public Store Store { get; private set; }

    public FakeTimeProvider Time { get; }

    public LedgerBook Book { get; } = new();

    public static async Task<MarketStore> OpenAsync()
    {
        var folder = Directory.CreateTempSubdirectory("cairn-market-").FullName;
        var time = new FakeTimeProvider(new DateTimeOffset(2026, 3, 1, 12, 0, 0, TimeSpan.Zero));
        return new MarketStore(folder, await OpenAsync(folder, time), time);
    }

    public async Task ReopenAsync()
    {
        await Store.DisposeAsync();
        Store = await OpenAsync(_folder, Time);
    }

    public Task GrantAsync(JobFunds funds, ProjectId project, Money amount, string key = "first") =>
        Store.WriteAsync(session => funds.Grant(session, key, project, amount, null), TestContext.Current.CancellationToken);

    public Task<Money> BalanceAsync(Account account) =>
        Store.ReadAsync(session => Book.Balance(session, account), TestContext.Current.CancellationToken);

    public Task<IReadOnlyList<string>> AuditAsync() => Store.ReadAsync(LedgerAudit.Run, TestContext.Current.CancellationToken);

    public async ValueTask DisposeAsync()
    {
        await Store.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    private static Task<Store> OpenAsync(string folder, TimeProvider time) =>
        Store.OpenAsync(new StoreOptions { Database = Path.Combine(folder, "market.db") }, MarketMigrations.All, time, TestContext.Current.CancellationToken);
}
