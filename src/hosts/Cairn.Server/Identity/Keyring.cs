using System.Collections.Concurrent;
using System.Security.Cryptography;
using Cairn.Contracts.Ids;
using Cairn.Contracts.Identity;
using Cairn.State;

namespace Cairn.Server.Identity;

/// <summary>All projects and keys, in memory for every request and in rows for good. Secrets exist only as hashes.</summary>
internal sealed class Keyring(Store store, TimeProvider time)
{
    private readonly ConcurrentDictionary<KeyId, KeyRow> _keys = new();
    private readonly ConcurrentDictionary<string, ProjectRow> _projects = new(StringComparer.Ordinal);

    private long _version;

    /// <summary>Grows with every change of a key.</summary>
    public long Version => Interlocked.Read(ref _version);

    public IEnumerable<KeyRow> Keys => _keys.Values.OrderBy(key => key.CreatedAt);

    public IEnumerable<ProjectRow> Projects => _projects.Values.OrderBy(project => project.Name, StringComparer.Ordinal);

    /// <summary>Reads the rows: at the start, and whenever another server says that it changed them.</summary>
    public async Task LoadAsync(CancellationToken cancellationToken)
    {
        var (projects, keys) = await store.ReadAsync(
            session => (session.Query<ProjectRow>("SELECT id, name, created_at FROM projects"),
                session.Query<KeyRow>("SELECT id, name, secret_hash, role, project_id, created_at, expires_at, revoked FROM api_keys")),
            cancellationToken);
        foreach (var project in projects)
            _projects[project.Name] = project;
        foreach (var key in keys)
            _keys[key.Id] = key;
        Interlocked.Increment(ref _version);
    }

    public ProjectRow? FindProject(string name) => _projects.GetValueOrDefault(name);

    public ProjectRow? FindProject(ProjectId id) => _projects.Values.FirstOrDefault(project => project.Id == id);

    /// <summary>The key's row if the text is a live key; null for every reason not to be let in, which are not told apart.</summary>
    public KeyRow? Verify(string? text)
    {
        if (!ApiKey.TryParse(text, out var shown) || !_keys.TryGetValue(shown.Id, out var key))
            return null;
        var matches = CryptographicOperations.FixedTimeEquals(shown.SecretHash(), Convert.FromHexString(key.SecretHash));
        var expired = key.ExpiresAt is { } expires && expires <= time.GetUtcNow();
        return matches && !expired && !key.Revoked ? key : null;
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

    /// <returns>The row and the key's text, which nothing keeps.</returns>
    public async Task<(KeyRow Row, string Text)> CreateKeyAsync(
        string name, Role role, ProjectId project, DateTimeOffset? expiresAt, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        var key = ApiKey.New(now);
        var row = new KeyRow
        {
            Id = key.Id, Name = name, SecretHash = Convert.ToHexStringLower(key.SecretHash()), Role = role, ProjectId = project,
            CreatedAt = now, ExpiresAt = expiresAt,
        };
        await store.WriteAsync(
            session =>
            {
                session.Execute(
                    """
                    INSERT INTO api_keys (id, name, secret_hash, role, project_id, created_at, expires_at, revoked)
                    VALUES (@Id, @Name, @SecretHash, @Role, @ProjectId, @CreatedAt, @ExpiresAt, @Revoked)
                    """,
                    row);
                session.Signal("identity");
            },
            cancellationToken);
        _keys[row.Id] = row;
        Interlocked.Increment(ref _version);
        return (row, key.ToString());
    }

    public async Task<bool> RevokeAsync(KeyId id, CancellationToken cancellationToken)
    {
        var found = await store.WriteAsync(
            session =>
            {
                session.Signal("identity");
                return session.Execute("UPDATE api_keys SET revoked = TRUE WHERE id = @Id", new { Id = id }) == 1;
            },
            cancellationToken);
        if (found && _keys.TryGetValue(id, out var key))
            _keys[id] = key with { Revoked = true };
        Interlocked.Increment(ref _version);
        return found;
    }
}

internal sealed record ProjectRow
{
    public ProjectId Id { get; init; }

    public string Name { get; init; } = "";

    public DateTimeOffset CreatedAt { get; init; }
}

internal sealed record KeyRow
{
    public KeyId Id { get; init; }

    public string Name { get; init; } = "";

    public string SecretHash { get; init; } = "";

    public Role Role { get; init; }

    public ProjectId ProjectId { get; init; }

    public DateTimeOffset CreatedAt { get; init; }

    public DateTimeOffset? ExpiresAt { get; init; }

    public bool Revoked { get; init; }
}
