using Cairn.Contracts.Ids;
using Cairn.Contracts.Units;

namespace Cairn.Serving.Gateway.Limits;

/// <summary>The funds of all projects, which their keys share. Safe for concurrent use.</summary>
internal sealed class ProjectsMoney
{
    private readonly Lock _lock = new();
    private readonly Dictionary<ProjectId, ProjectFunds> _funds = [];
    private bool _limited;

    /// <summary>Whether money is limited; then a project of which nothing was said has none.</summary>
    public bool IsLimited
    {
        get
        {
            lock (_lock)
                return _limited;
        }
    }

    /// <summary>From now on money is limited.</summary>
    public void Limit()
    {
        lock (_lock)
        {
            if (_limited)
                return;
            _limited = true;
            foreach (var funds in _funds.Values)
                funds.Renew(Money.Zero, Money.Zero);
        }
    }

    /// <summary>Says what projects have available, and limits money.</summary>
    /// <param name="available">As the ledger says.</param>
    /// <param name="written">What of the use so far it knows of since the last time.</param>
    public void Renew(IReadOnlyDictionary<ProjectId, Money> available, IReadOnlyDictionary<ProjectId, Money>? written = null)
    {
        Limit();
        foreach (var (project, money) in available)
            Of(project).Renew(money, written?.GetValueOrDefault(project) ?? Money.Zero);
    }

    public ProjectFunds Of(ProjectId project)
    {
        lock (_lock)
        {
            if (_funds.TryGetValue(project, out var funds))
                return funds;
            funds = new ProjectFunds();
            if (_limited)
                funds.Renew(Money.Zero, Money.Zero);
            return _funds[project] = funds;
        }
    }

    /// <summary>Null where nothing was ever said of the project and it has no keys.</summary>
    public ProjectFunds? Find(ProjectId project)
    {
        lock (_lock)
            return _funds.GetValueOrDefault(project);
    }
}
