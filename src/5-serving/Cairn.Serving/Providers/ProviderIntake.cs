using Cairn.Contracts.Api;
using Cairn.Contracts.Identity;
using Cairn.Contracts.Problems;
using Cairn.State;

namespace Cairn.Serving.Providers;

/// <summary>Adds and removes providers outside: durable first, then in the gateway before the answer.</summary>
internal sealed class ProviderIntake(Store store, ProviderBook book, CredentialSeal seal, TimeProvider time) : IDisposable
{
    private readonly SemaphoreSlim _one = new(1, 1);

    /// <summary>
    /// Reads the rows: at the start, and when another server changed them. One reading at a time: an older one must not take the place of
    /// a newer one.
    /// </summary>
    public async Task RenewAsync(CancellationToken cancellationToken)
    {
        await _one.WaitAsync(cancellationToken);
        try
        {
            book.Renew(await store.ReadAsync(ProviderRows.All, cancellationToken));
        }
        finally
        {
            _one.Release();
        }
    }

    /// <returns>The provider; or what is wrong, everything at once.</returns>
    public async Task<(ProviderView? Provider, Problem? Problem, IReadOnlyList<string> Errors)> AddAsync(
        AddProviderRequest request, Caller caller, CancellationToken cancellationToken)
    {
        if (ProviderChecks.Problems(request) is { Count: > 0 } problems)
            return (null, new Problem(ProblemCodes.InvalidRequest, problems[0]), problems);
        var now = time.GetUtcNow();
        var id = Guid.CreateVersion7(now);
        var row = new ProviderRow
        {
            Id = id, ProjectId = caller.Project, Name = request.Name, BaseUrl = request.BaseUrl.TrimEnd('/'), Dialect = ProviderChecks.DialectOf(request.Dialect)!.Value,
            Sealed = request.Credential is { } secret ? seal.Seal(id, secret) : null, Models = new(request.Models), CreatedAt = now, CreatedBy = caller.KeyName,
        };
        var added = await store.WriteAsync(session =>
        {
            session.Signal(ProviderRows.Signal);
            return ProviderRows.Insert(session, row);
        }, cancellationToken);
        if (!added)
            return (null, new Problem(ProblemCodes.NameTaken, $"There is a provider '{row.Name}' already; remove it first with `cairn providers remove {row.Name}`."), []);
        await RenewAsync(cancellationToken);
        return (View(row, caller.ProjectName), null, []);
    }

    public async Task<bool> RemoveAsync(string name, Caller caller, CancellationToken cancellationToken)
    {
        var removed = await store.WriteAsync(session =>
        {
            session.Signal(ProviderRows.Signal);
            return ProviderRows.Delete(session, caller.Project, name);
        }, cancellationToken);
        await RenewAsync(cancellationToken);
        return removed;
    }

    public void Dispose() => _one.Dispose();

    public IReadOnlyList<ProviderView> List(Caller caller) =>
        [.. book.Rows.Where(row => row.ProjectId == caller.Project).OrderBy(row => row.Name, StringComparer.Ordinal).Select(row => View(row, caller.ProjectName))];

    private static ProviderView View(ProviderRow row, string project) => new()
    {
        Id = row.Id, Name = row.Name, Project = project, BaseUrl = row.BaseUrl, Dialect = row.Dialect.ToString().ToLowerInvariant(), HasCredential = row.Sealed is not null,
        Models = row.Models.Value, CreatedAt = row.CreatedAt, CreatedBy = row.CreatedBy,
    };
}
