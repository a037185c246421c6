using Cairn.Contracts.Api;
using Cairn.Contracts.Identity;
using Cairn.Contracts.Ids;
using Cairn.Serving.Providers;
using Cairn.State;
using Microsoft.Extensions.Logging.Abstractions;

namespace Cairn.Serving.Tests.Providers;

public sealed class A_provider_is_added : IDisposable
{
    private const int Providers = 50;
    private static readonly DateTimeOffset s_now = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private readonly string _folder = Directory.CreateTempSubdirectory("cairn-providers-").FullName;

    [Fact]
    public async Task It_is_there_when_the_answer_comes_and_no_reading_of_older_rows_takes_it_away()
    {
        var cancellationToken = TestContext.Current.CancellationToken;
        await using var store = await Store.OpenAsync(
            new StoreOptions { Database = Path.Combine(_folder, "cairn.db") }, ServingMigrations.All, TimeProvider.System, cancellationToken);
        var seal = new CredentialSeal((_, text) => text, (_, text) => text);
        var book = new ProviderBook(seal, NullLogger<ProviderBook>.Instance);
        using var intake = new ProviderIntake(store, book, seal, TimeProvider.System);
        var caller = new Caller(KeyId.New(s_now), "ada", Role.Admin, ProjectId.New(s_now), "default");
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var readers = Enumerable.Range(0, 4).Select(_ => Task.Run(async () =>
        {
            while (!enough.IsCancellationRequested)
                await intake.RenewAsync(cancellationToken);
        }, cancellationToken)).ToList();

        for (var i = 1; i <= Providers; i++)
        {
            var request = new AddProviderRequest { Name = $"p{i}", BaseUrl = "https://api.example.com/v1", Models = [new ProviderModelView { Model = $"m{i}" }] };
            var (_, problem, _) = await intake.AddAsync(request, caller, cancellationToken);
            Assert.Null(problem);
            Assert.Equal(i, book.Rows.Count);
        }
        await enough.CancelAsync();
        await Task.WhenAll(readers);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);
}
