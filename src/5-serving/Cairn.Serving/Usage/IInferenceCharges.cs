using Cairn.Contracts.Ids;
using Cairn.Contracts.Units;
using Cairn.Serving.Gateway.Calls;
using Cairn.State;

namespace Cairn.Serving.Usage;

/// <summary>Turns usage into money, inside the write that keeps the usage. Implemented by the host that keeps the ledger.</summary>
public interface IInferenceCharges
{
    /// <summary>Charges a batch once, however often it comes.</summary>
    /// <param name="session">The write in which the usage becomes durable; both do or none.</param>
    /// <param name="batch">Names the batch for good.</param>
    /// <param name="at">When it was taken.</param>
    /// <param name="usage">One sum per project, key, model and target.</param>
    void Charge(WriteSession session, Guid batch, DateTimeOffset at, IReadOnlyCollection<KeyValuePair<UsageSubject, UsageSum>> usage);

    /// <summary>Raised in the store when what a project has available changed.</summary>
    string FundsSignal { get; }

    /// <summary>What projects have available.</summary>
    /// <param name="projects">Null for all that ever had something; one that never had is left out.</param>
    IReadOnlyDictionary<ProjectId, Money> Available(ReadSession session, IReadOnlyCollection<ProjectId>? projects);
}
