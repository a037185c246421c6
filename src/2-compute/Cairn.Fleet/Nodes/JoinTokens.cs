using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using Cairn.Contracts.Api;
using Cairn.Contracts.Ids;
using Cairn.Contracts.Problems;
using Cairn.Contracts.Wire;
using Cairn.Fleet.Link;
using Cairn.State;

namespace Cairn.Fleet.Nodes;

/// <summary>Makes, lists and revokes the tokens that machines join with. The rows hold a hash; the token is shown once.</summary>
internal sealed class JoinTokens(Store store, LinkAddress address, LinkCertificates certificates, TimeProvider time)
{
    private const long LongestSeconds = 90 * 86_400;
    private const int LongestNote = 256;

    public async Task<(JoinTokenView? Token, Problem? Problem)> CreateAsync(CreateJoinTokenRequest request,
        CancellationToken cancellationToken)
    {
        if (Check(request) is { } problem)
            return (null, problem);
        if (address.Advertised is not { } server)
            return (null, new Problem(ProblemCodes.Unavailable, "the port for nodes is not open yet; try again"));
        var now = time.GetUtcNow();
        var id = JoinTokenId.New(now);
        var secret = Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(32));
        var row = new JoinTokenRow
        {
            Id = id,
            SecretHash = HashOf(secret),
            ExpiresAt = now.AddSeconds(request.ValidSeconds),
            MaxUses = request.MaxUses,
            Note = request.Note,
        };
        await store.WriteAsync(session => Insert(session, row, now), cancellationToken);
        var token = new JoinToken(server, certificates.AuthoritySha256, id.ToString(), secret);
        return (View(row, token.Encode()), null);
    }

    /// <summary>Tokens by the time of their making, newest last, after <paramref name="cursor"/>.</summary>
    public async Task<Page<JoinTokenView>> ListAsync(string? cursor, int limit, CancellationToken cancellationToken)
    {
        var rows = await store.ReadAsync(session => session.Query<JoinTokenRow>(
            "SELECT * FROM join_tokens WHERE id > @after ORDER BY id LIMIT @most", new { after = cursor ?? "", most = limit + 1 }),
                cancellationToken);
        var items = rows.Take(limit).Select(row => View(row, null)).ToArray();
        return new Page<JoinTokenView>(items, rows.Count > limit ? items[^1].Id.ToString() : null);
    }

    /// <summary>False where there is no such token.</summary>
    public Task<bool> RevokeAsync(JoinTokenId id, CancellationToken cancellationToken) => store.WriteAsync(
        session => session.Execute("UPDATE join_tokens SET revoked = TRUE WHERE id = @id", new { id }) == 1, cancellationToken);

    public static JoinTokenRow? Find(ReadSession session, JoinTokenId id) =>
        session.QuerySingleOrDefault<JoinTokenRow>("SELECT * FROM join_tokens WHERE id = @id", new { id });

    /// <summary>Takes one use in the caller's transaction. False when none is left, whoever took the last one.</summary>
    public static bool TryUse(WriteSession session, JoinTokenId id) => session.Execute(
        "UPDATE join_tokens SET uses = uses + 1 WHERE id = @id AND (max_uses = 0 OR uses < max_uses)", new { id }) == 1;

    public static string HashOf(string secret) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(secret)));

    private static Problem? Check(CreateJoinTokenRequest request)
    {
        if (request.ValidSeconds is < 1 or > LongestSeconds)
            return Invalid($"valid_seconds is {request.ValidSeconds}, expected 1 to {LongestSeconds} (90 days)");
        if (request.MaxUses < 0)
            return Invalid($"max_uses is {request.MaxUses}, expected a number of nodes, or 0 for any number");
        if (request.Note?.Length > LongestNote)
            return Invalid($"note has {request.Note.Length} characters, at most {LongestNote}");
        return null;
    }

    private static Problem Invalid(string message) => new(ProblemCodes.InvalidRequest, message);

    private static void Insert(WriteSession session, JoinTokenRow row, DateTimeOffset createdAt) => session.Execute(
        """
        INSERT INTO join_tokens (id, secret_hash, created_at, expires_at, max_uses, uses, note, revoked)
        VALUES (@Id, @SecretHash, @CreatedAt, @ExpiresAt, @MaxUses, 0, @Note, FALSE)
        """,
        new { row.Id, row.SecretHash, createdAt, row.ExpiresAt, row.MaxUses, row.Note });

    private static JoinTokenView View(JoinTokenRow row, string? token) =>
        new(row.Id, token, row.ExpiresAt, row.MaxUses, row.Uses, row.Note, row.Revoked);
}

internal sealed record JoinTokenRow
{
    public required JoinTokenId Id { get; init; }

    /// <summary>SHA-256 of the secret: 256 random bits need no slow hash.</summary>
    public required string SecretHash { get; init; }

    public required DateTimeOffset ExpiresAt { get; init; }

    /// <summary>0: any number.</summary>
    public required int MaxUses { get; init; }

    public int Uses { get; init; }

    public string? Note { get; init; }

    public bool Revoked { get; init; }
}
