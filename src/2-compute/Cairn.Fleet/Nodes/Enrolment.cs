using Cairn.Contracts.Ids;
using Cairn.Contracts.Jobs;
using Cairn.Contracts.Problems;
using Cairn.Contracts.Wire;
using Cairn.Fleet.Link;
using Cairn.State;

namespace Cairn.Fleet.Nodes;

/// <summary>Brings nodes in, keeps what they declare, and moves them out of service: row first, then memory.</summary>
internal sealed class Enrolment(Store store, FleetNodes nodes, NodeLinks links, TimeProvider time)
{
    private const int PublicKeyBytes = 32;

    /// <summary>
    /// Trades a token for a node. Checks, the token's use and the new row are one transaction, so of many who race with a token of one
    /// use, one joins.
    /// </summary>
    public async Task<(JoinReply? Reply, Problem? Problem)> JoinAsync(JoinRequest request, CancellationToken cancellationToken)
    {
        if (!JoinToken.TryDecode(request.Token, out var token) || !TypedId.TryParse<JoinTokenId>(token.Id, out var tokenId))
            return Refuse(ProblemCodes.Unauthenticated, JoinDecision.Explain(JoinVerdict.UnknownToken));
        if (request.PublicKey.Length != PublicKeyBytes)
            return Refuse(ProblemCodes.InvalidRequest,
                $"public_key has {request.PublicKey.Length} bytes, expected {PublicKeyBytes} (Ed25519)");
        var declaration = request.Declaration ?? new Declaration();
        var inventory = request.Inventory ?? new Inventory();
        if (NodeDeclaration.Read(declaration, inventory).Problem is { } problem)
            return (null, problem);

        var wished = new NodeRow
        {
            Id = NodeId.New(time.GetUtcNow()),
            Name = NodeName.Clean(declaration.Name.Length > 0 ? declaration.Name : inventory.Hostname),
            PublicKey = NodeRows.KeyText(request.PublicKey.Span),
            Declaration = NodeRows.Json(declaration),
            Inventory = NodeRows.Json(inventory),
            Phase = NodePhase.Active,
            JoinedAt = time.GetUtcNow(),
            DaemonVersion = request.DaemonVersion,
        };
        var hash = JoinTokens.HashOf(token.Secret);
        var (verdict, row) = await store.WriteAsync(session => Join(session, wished, tokenId, hash), cancellationToken);
        return row is null
            ? Refuse(
                verdict == JoinVerdict.RemovedKey ? ProblemCodes.Forbidden : ProblemCodes.Unauthenticated, JoinDecision.Explain(verdict))
            : (new JoinReply { NodeId = row.Id.ToString(), Name = row.Name }, null);
    }

    /// <summary>A node of this server, or one that another server enrolled and only the rows know yet.</summary>
    public async ValueTask<FleetNode?> FindAsync(NodeId id, CancellationToken cancellationToken)
    {
        if (nodes.Find(id) is { } known)
            return known;
        var row = await store.ReadAsync(session => NodeRows.ById(session, id), cancellationToken);
        if (row is null or { Phase: NodePhase.Removed })
            return null;
        if (row.ToNode() is { } node)
            nodes.Add(node, joined: true);
        return nodes.Find(id);
    }

    /// <summary>The daemon was started with other flags or found other hardware. Null where all is well.</summary>
    public async Task<Problem?> RedeclareAsync(FleetNode node, Declaration? declaration, Inventory? inventory,
        CancellationToken cancellationToken)
    {
        var row = await store.ReadAsync(session => NodeRows.ById(session, node.Id), cancellationToken);
        if (row is null)
            return new Problem(ProblemCodes.NotFound, $"node {node.Name} has no row");
        declaration ??= NodeRows.Declaration(row.Declaration);
        inventory ??= NodeRows.Inventory(row.Inventory);
        var (facts, problem) = NodeDeclaration.Read(declaration, inventory);
        if (facts is null)
            return problem;
        var (declarationJson, inventoryJson) = (NodeRows.Json(declaration), NodeRows.Json(inventory));
        if (declarationJson == row.Declaration && inventoryJson == row.Inventory)
            return null;
        await store.WriteAsync(session =>
        {
            NodeRows.SetDeclared(session, node.Id, declarationJson, inventoryJson);
            session.AfterCommit(() => nodes.Redeclare(node, facts));
        }, cancellationToken);
        return null;
    }

    /// <summary>Cordons, drains or puts back. False where the node is gone.</summary>
    public async Task<bool> SetPhaseAsync(FleetNode node, NodePhase phase, CancellationToken cancellationToken) =>
        await store.WriteAsync(session =>
        {
            if (NodeRows.SetPhase(session, node.Id, phase) == 0)
                return false;
            session.AfterCommit(() => nodes.SetPhase(node, phase));
            return true;
        }, cancellationToken);

    /// <summary>Takes a node out for good. Its daemon is told to stop everything, and its key never joins again.</summary>
    public async Task<bool> RemoveAsync(FleetNode node, CancellationToken cancellationToken)
    {
        if (!await SetPhaseAsync(node, NodePhase.Removed, cancellationToken))
            return false;
        links.Refuse(node, EndReasons.NodeRemoved, $"node {node.Name} was removed from the fleet");
        return true;
    }

    private (JoinVerdict, NodeRow?) Join(WriteSession session, NodeRow wished, JoinTokenId tokenId, string secretHash)
    {
        var sameKey = NodeRows.ByKey(session, wished.PublicKey);
        var verdict = JoinDecision.Of(JoinTokens.Find(session, tokenId), secretHash, sameKey?.Phase, session.Now);
        if (verdict == JoinVerdict.Repeat)
            return (verdict, sameKey);
        if (verdict != JoinVerdict.Admit)
            return (verdict, null);
        if (!JoinTokens.TryUse(session, tokenId))
            return (JoinVerdict.UsedUp, null);
        var row = wished with
        {
            Name = NodeName.Candidates(wished.Name, wished.Id.Value).First(name => !NodeRows.IsNameTaken(session, name)),
        };
        NodeRows.Insert(session, row, tokenId);
        session.AfterCommit(() => nodes.Add(row.ToNode()!, joined: true));
        return (verdict, row);
    }

    private static (JoinReply?, Problem?) Refuse(string code, string message) => (null, new Problem(code, message));
}
