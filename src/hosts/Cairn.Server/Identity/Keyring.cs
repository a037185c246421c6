using System.Collections.Concurrent;
using System.Security.Cryptography;
using Cairn.Contracts.Ids;
using Cairn.Contracts.Identity;
using Cairn.Serving.Gateway;
using Cairn.State;

namespace Cairn.Server.Identity;

/// <summary>All projects and keys, in memory for every request and in rows for good. Secrets exist only as hashes.</summary>
internal sealed class Keyring(Store store, TimeProvider time) : IDisposable
{
    /// <summary>Raised with every change, so that other servers on the same rows hear of it.</summary>
    public const string Signal = "identity";

    private readonly ConcurrentDictionary<KeyId, KeyRow> _keys = new();
    private readonly ConcurrentDictionary<string, ProjectRow> _projects = new(StringComparer.Ordinal);

    private readonly SemaphoreSlim _changing = new(1, 1);
    private long _version;

    /// <summary>A key changed. Handlers are short.</summary>
    public event Action? Changed;

    /// <summary>Grows with every change of a key.</summary>
    public long Version => Interlocked.Read(ref _version);

    public IEnumerable<KeyRow> Keys => _keys.Values.OrderBy(key => key.CreatedAt);

    public IEnumerable<ProjectRow> Projects => _projects.Values.OrderBy(project => project.Name, StringComparer.Ordinal);

    /// <summary>Reads the rows: at the start, and whenever another server says that it changed them.</summary>
    public async Task LoadAsync(CancellationToken cancellationToken)
    {
        // Nothing is changed meanwhile: an older row must not take the place of a newer one.
        await _changing.WaitAsync(cancellationToken);
        try
        {
            var (projects, keys) = await store.ReadAsync(
                session => (session.Query<ProjectRow>("SELECT id, name, created_at FROM projects"),
                    session.Query<KeyRow>($"SELECT {KeyRow.Columns} FROM api_keys")),
                cancellationToken);
            foreach (var project in projects)
                _projects[project.Name] = project;
            var others = keys.Where(key => !(_keys.TryGetValue(key.Id, out var known) && known.IsSame(key))).ToList();
            foreach (var key in others)
                _keys[key.Id] = key;
            if (others.Count > 0)
                Renewed();
        }
        finally
        {
            _changing.Release();
        }
    }

    public ProjectRow? FindProject(string name) => _projects.GetValueOrDefault(name);

    public ProjectRow? FindProject(ProjectId id) => _projects.Values.FirstOrDefault(project => project.Id == id);

    public KeyRow? Find(KeyId id) => _keys.GetValueOrDefault(id);

    /// <summary>The keys that a key is under, nearest first.</summary>
    public IEnumerable<KeyRow> Above(KeyRow key)
    {
        for (var depth = 0; depth < GatewayOptions.MostKeyLevels && key.ParentId is { } parent && _keys.TryGetValue(parent, out var above); depth++)
        {
            yield return above;
            key = above;
        }
    }

    /// <summary>The key's row if the text is a live key; null for every reason not to be let in, which are not told apart.</summary>
    public KeyRow? Verify(string? text)
    {
        if (!ApiKey.TryParse(text, out var shown) || !_keys.TryGetValue(shown.Id, out var key))
            return null;
        var matches = CryptographicOperations.FixedTimeEquals(shown.SecretHash(), Convert.FromHexString(key.SecretHash));
        return matches && Lives(key) && Above(key).All(Lives) ? key : null;
    }

    /// <returns>The project; the one that is there already where the name is taken.</returns>
    public async Task<(ProjectRow Project, bool Created)> CreateProjectAsync(string name, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        var wished = new ProjectRow { Id = ProjectId.New(now), Name = name, CreatedAt = now };
        var created = await store.WriteAsync(
            session => session.Execute("INSERT INTO projects (id, name, created_at) VALUES (@Id, @Name, @CreatedAt) ON CONFLICT (name) DO NOTHING", wished) == 1,
            cancellationToken);
        if (!created)
            await LoadAsync(cancellationToken);
        else
            _projects[name] = wished;
        return (_projects[name], created);
    }

    /// <param name="wish">All but the id, the secret and the time.</param>
    /// <returns>The row and the key's text, which nothing keeps.</returns>
    public async Task<(KeyRow Row, string Text)> CreateKeyAsync(KeyRow wish, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        var key = ApiKey.New(now);
        var row = wish with { Id = key.Id, SecretHash = Convert.ToHexStringLower(key.SecretHash()), CreatedAt = Micros.ToTime(Micros.Of(now)) };
        await store.WriteAsync(
            session =>
            {
                session.Execute(
                    $"""
                    INSERT INTO api_keys ({KeyRow.Columns})
                    VALUES (@Id, @Name, @SecretHash, @Role, @ProjectId, @CreatedAt, @ExpiresAt, @Revoked, @ParentId, @Blocked, @Models, @RequestsPerMinute,
                        @TokensPerMinute, @ParallelRequests, @Budget, @BudgetPeriod)
                    """,
                    row);
                session.Signal(Signal);
            },
            cancellationToken);
        _keys[row.Id] = row;
        Renewed();
        return (row, key.ToString());
    }

    /// <summary>Changes what a key may do.</summary>
    /// <param name="id">Which.</param>
    /// <param name="change">From the row as it is; null leaves it.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>The row as it is now; null where there is no such key that lives, or nothing was to change.</returns>
    public async Task<KeyRow?> ChangeAsync(KeyId id, Func<KeyRow, KeyRow?> change, CancellationToken cancellationToken)
    {
        await _changing.WaitAsync(cancellationToken);
        try
        {
            if (!_keys.TryGetValue(id, out var row) || row.Revoked || change(row) is not { } changed)
                return null;
            await store.WriteAsync(
                session =>
                {
                    session.Execute(
                        """
                        UPDATE api_keys SET blocked = @Blocked, models = @Models, requests_per_minute = @RequestsPerMinute, tokens_per_minute = @TokensPerMinute,
                            parallel_requests = @ParallelRequests, budget = @Budget, budget_period = @BudgetPeriod
                        WHERE id = @Id
                        """,
                        changed);
                    session.Signal(Signal);
                },
                cancellationToken);
            _keys[id] = changed;
            Renewed();
            return changed;
        }
        finally
        {
            _changing.Release();
        }
    }

    public async Task<bool> RevokeAsync(KeyId id, CancellationToken cancellationToken)
    {
        await _changing.WaitAsync(cancellationToken);
        try
        {
            var found = await store.WriteAsync(
                session =>
                {
                    session.Signal(Signal);
                    return session.Execute("UPDATE api_keys SET revoked = TRUE WHERE id = @Id", new { Id = id }) == 1;
                },
                cancellationToken);
            if (found && _keys.TryGetValue(id, out var key))
                _keys[id] = key with { Revoked = true };
            Renewed();
            return found;
        }
        finally
        {
            _changing.Release();
        }
    }

    public void Dispose() => _changing.Dispose();

    /// <summary>Whether the key and those above it may be used now.</summary>
    public bool Lives(KeyId id) => _keys.TryGetValue(id, out var key) && Lives(key) && Above(key).All(Lives);

    private bool Lives(KeyRow key) => !key.Revoked && !key.Blocked && !(key.ExpiresAt <= time.GetUtcNow());

    private void Renewed()
    {
        Interlocked.Increment(ref _version);
        Changed?.Invoke();
    }
}
