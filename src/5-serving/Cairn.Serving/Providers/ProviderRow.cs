using Cairn.Contracts.Api;
using Cairn.Contracts.Ids;
using Cairn.Serving.Gateway.Snapshots;
using Cairn.State;
using Cairn.State.Rows;

namespace Cairn.Serving.Providers;

/// <summary>A provider outside, as its row keeps it; never changed, only added and removed.</summary>
internal sealed record ProviderRow
{
    public Guid Id { get; init; }

    public ProjectId ProjectId { get; init; }

    public string Name { get; init; } = "";

    public string BaseUrl { get; init; } = "";

    public ApiDialect Dialect { get; init; }

    /// <summary>The credential; null where there is none.</summary>
    public string? Sealed { get; init; }

    public required JsonText<IReadOnlyList<ProviderModelView>> Models { get; init; }

    public DateTimeOffset CreatedAt { get; init; }

    public string CreatedBy { get; init; } = "";
}

internal static class ProviderRows
{
    /// <summary>Raised when one was added or removed.</summary>
    public const string Signal = "outside-providers";

    private const string Columns = "id, project_id, name, base_url, dialect, sealed, models, created_at, created_by";

    public static IReadOnlyList<ProviderRow> All(ReadSession session) =>
        session.Query<ProviderRow>($"SELECT {Columns} FROM outside_providers ORDER BY created_at, id");

    public static bool Insert(WriteSession session, ProviderRow row) => session.Execute(
        $"""
        INSERT INTO outside_providers ({Columns}) VALUES (@Id, @ProjectId, @Name, @BaseUrl, @Dialect, @Sealed, @Models, @CreatedAt, @CreatedBy)
        ON CONFLICT (project_id, name) DO NOTHING
        """, row) == 1;

    public static bool Delete(WriteSession session, ProjectId project, string name) =>
        session.Execute("DELETE FROM outside_providers WHERE project_id = @project AND name = @name", new { project, name }) == 1;
}
