// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {Code} from "./verify/Code.sol";
import {Committees} from "./verify/Committee.sol";
import {Digest} from "./verify/Digest.sol";
import {Headers} from "./verify/Header.sol";
import {Institutions, InstitutionSet, SignatureList, Signatures} from "./verify/Institutions.sol";
import {Reader, Reading} from "./verify/Reader.sol";
import {hold} from "./verify/Refusal.sol";
import {TrustFile, TrustFiles} from "./verify/TrustFile.sol";

/// Reads what institutions sign: trust files and substitutes. It has no state and no owner; it is a contract of its
/// own because it and the light client together are larger than a contract may be.
contract Signatories {
    /// What a trust file says to a destination.
    struct Told {
        bytes32 network;
        uint64 issuedAt;
        uint64 trustingPeriod;
        uint64 firstEra;
        /// The present era and its group key, as the pairing reads it.
        uint64 era;
        bytes key;
        InstitutionSet institutions;
        bytes32 fingerprint;
    }

    /// Reads a trust file that enough of `judges` signed, or of its own institutions where there are no judges yet.
    /// `keys` are the uncompressed points of its group keys.
    function trustFile(bytes calldata file, bytes calldata keys, InstitutionSet memory judges)
        external
        view
        returns (Told memory)
    {
        TrustFile memory t = TrustFiles.parse(file, keys);
        hold(t.signatures.signers.length != 0, Code.TrustFileUnsigned);
        Institutions.check(judges.keys.length == 0 ? t.institutions : judges, t.signatures, t.fingerprint);
        uint256 last = t.eras.length - 1;
        return Told({
            network: t.network,
            issuedAt: t.issuedAt,
            trustingPeriod: t.trustingPeriod,
            firstEra: t.eras[0].number,
            era: t.eras[last].number,
            key: t.eras[last].committee.key,
            institutions: t.institutions,
            fingerprint: t.fingerprint
        });
    }

    /// Reads a substitute for `era` of `network` that enough of `judges` signed, and gives its group key.
    function substitute(
        bytes calldata signed,
        bytes calldata keys,
        InstitutionSet memory judges,
        bytes32 network,
        uint256 era
    ) external view returns (bytes memory key) {
        Reader memory r = Reading.over(signed, keys);
        uint256 start = r.pos;
        bytes32 itsNetwork = Reading.word(r);
        uint64 itsEra = Reading.u64(r);
        key = Committees.read(r).key;
        Headers.readOutbox(r);
        bytes32 digest = Digest.framed(Digest.SHA256, Digest.SUBSTITUTE, start, r.pos - start);
        SignatureList memory signatures = Signatures.read(r);
        Reading.finish(r);
        hold(itsNetwork == network, Code.WrongNetwork);
        hold(itsEra == era, Code.NotNextEra);
        Institutions.check(judges, signatures, digest);
    }
}
