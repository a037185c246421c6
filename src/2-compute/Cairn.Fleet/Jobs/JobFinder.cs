using Cairn.Contracts.Identity;
using Cairn.Contracts.Ids;
using Cairn.State;
using Microsoft.AspNetCore.Http;

namespace Cairn.Fleet.Jobs;

/// <summary>
/// Finds the job that a request means: by id, or the newest of a name in the caller's project. What a caller may not see is not there.
/// </summary>
internal sealed class JobFinder(Store store)
{
    public static Caller CallerOf(HttpContext request) =>
        request.Features.Get<Caller>() ?? throw new InvalidOperationException("The host let a request in without a caller.");

    public Task<JobId?> FindIdAsync(string job, HttpContext request, CancellationToken cancellationToken)
    {
        var caller = CallerOf(request);
        return store.ReadAsync(session => FindId(session, job, caller), cancellationToken);
    }

    public static JobId? FindId(ReadSession session, string job, Caller caller)
    {
        if (TypedId.TryParse<JobId>(job, out var id))
        {
            var owner = session.QuerySingleOrDefault<ProjectId?>("SELECT project_id FROM jobs WHERE id = @id", new { id });
            return owner is { } project && caller.MayUse(project) ? id : null;
        }
        var found = session.Query<JobId>(
            "SELECT id FROM jobs WHERE name = @job AND project_id = @Project ORDER BY id DESC LIMIT 1", new { job, caller.Project });
        return found.Count > 0 ? found[0] : null;
    }
}
